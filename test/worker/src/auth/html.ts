const markup = Symbol('markup')

/** Markup that is safe to send. Only {@link html} makes it: client data cannot pose as it. */
export interface Html {
  readonly [markup]: string
}

type Part = string | Html | readonly Html[] | undefined

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Tagged template: every interpolated string is escaped, so forgetting to is not possible. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { [markup]: String.raw({ raw: literals }, ...parts.map(render)) }
}

/** The text of finished markup. */
export const toText = (page: Html): string => page[markup]

function render(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '')
  return markup in part ? part[markup] : part.map(toText).join('')
}
