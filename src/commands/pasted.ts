import type { PendingSignIn } from '../auth/index.ts'

/** What a pasted text is good for: the address that the browser could not load, or another try. */
export type Pasted =
  | { readonly ok: true; readonly address: URL }
  | { readonly ok: false; readonly why: string }

/**
 * Judges what a person has pasted. A code alone says nothing about which sign-in it is from: `state`
 * is not there to be compared. It is taken only for the sign-in that this process shows, and only
 * where PKCE refuses it to any other (RFC 9700 §2.1.1).
 */
export function judgePasted(pasted: string, { link, bareCode }: PendingSignIn): Pasted {
  const asked = new URL(link).searchParams
  const redirect = new URL(asked.get('redirect_uri') ?? '')
  const text = pasted.trim().replace(/^["'<]|["'>]$/g, '')
  // Some browsers leave the scheme out of what they show and copy.
  const url = text.startsWith(`${redirect.host}/`) ? `${redirect.protocol}//${text}` : text
  if (URL.canParse(url)) return judgeAddress(new URL(url), redirect, asked.get('state'))
  if (/[?&\s]|^(code|state|error)=/.test(text)) {
    return again('This is only a part of the address. Paste all of it.')
  }
  if (!bareCode) {
    return again(
      'The code alone is not safe with this server. Paste the whole address of the page.',
    )
  }
  redirect.searchParams.set('code', decoded(text))
  redirect.searchParams.set('state', asked.get('state') ?? '')
  return { ok: true, address: redirect }
}

function judgeAddress(address: URL, redirect: URL, state: string | null): Pasted {
  if (address.origin !== redirect.origin || address.pathname !== redirect.pathname) {
    const where = redirect.origin + redirect.pathname
    return again(`This is another page. After the sign-in the address begins with ${where}`)
  }
  const params = address.searchParams
  const states = params.getAll('state')
  if (states.length !== 1 || states[0] !== state) {
    return again(
      'This address belongs to another sign-in. Open the address above and sign in there.',
    )
  }
  const error = params.get('error')
  if (error !== null) {
    const said = [error, params.get('error_description')].filter((part) => part !== null)
    return again(
      `The sign-in was refused (${said.join(': ')}). The address above takes another try.`,
    )
  }
  if (!params.has('code')) return again('There is no code in this address.')
  return { ok: true, address }
}

function again(why: string): Pasted {
  return { ok: false, why }
}

/** A code as it stands in the address bar is percent-encoded. */
function decoded(code: string): string {
  try {
    return decodeURIComponent(code)
  } catch {
    return code
  }
}
