/**
 * @typedef {Readonly<Record<string, string>>} Answers Which button to press, or what to type, by name.
 * @typedef {ReadonlyMap<string, string>} Attributes
 */

// Regular expressions are enough: the only pages read here are those of this folder and of the
// Worker, which write every attribute in double quotes and escape `<`, `>` and `"` inside them.
const FORM = /<form\b([^>]*)>([\s\S]*?)<\/form>/i
const CONTROL = /<(input|button)\b([^>]*)>/gi
const ATTRIBUTE = /([\w-]+)(?:="([^"]*)")?/g
const REFRESH = /<meta http-equiv="refresh" content="0; ?url=([^"]*)" ?\/?>/i

/**
 * The page's form as a browser would send it: every hidden field, every ticked box, and the button
 * that the answers name. Without such a button there is nothing to press: undefined.
 *
 * @param {string} html
 * @param {Answers} answers
 */
export function fillForm(html, answers) {
  const [, head = '', inside = ''] = FORM.exec(html) ?? []
  const body = new URLSearchParams()
  let pressed = false
  for (const [, tag = '', source = ''] of inside.matchAll(CONTROL)) {
    const attributes = attributesOf(source)
    const name = attributes.get('name')
    if (name === undefined || attributes.has('disabled')) continue
    const value = attributes.get('value') ?? 'on'
    const answer = answers[name]
    if (tag.toLowerCase() === 'button') {
      if (pressed || answer !== value) continue
      pressed = true
      body.append(name, value)
    } else if (attributes.get('type') !== 'checkbox') {
      body.append(name, answer ?? attributes.get('value') ?? '')
    } else if (
      answer === undefined ? attributes.has('checked') : answer.split(' ').includes(value)
    ) {
      body.append(name, value)
    }
  }
  return pressed ? { action: attributesOf(head).get('action') ?? '', body } : undefined
}

/**
 * Where a page that only says "one moment" leads to.
 *
 * @param {string} html
 */
export function findRefresh(html) {
  const target = REFRESH.exec(html)?.[1]
  return target === undefined ? undefined : unescape(target)
}

/**
 * @param {string} source
 * @returns {Attributes}
 */
const attributesOf = (source) =>
  new Map(
    [...source.matchAll(ATTRIBUTE)].map(([, name = '', value = '']) => [name, unescape(value)]),
  )

/** @param {string} text */
const unescape = (text) =>
  text.replace(/&(?:#(\d+)|(amp|lt|gt|quot));/g, (_, code, name) =>
    code === undefined ? (NAMED[name] ?? '') : String.fromCodePoint(Number(code)),
  )

const NAMED = /** @type {Readonly<Record<string, string>>} */ ({
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
})
