/**
 * @typedef {{ readonly value: string, readonly path: string }} Cookie
 *
 * @typedef {object} Jar
 * @property {(url: URL, setCookies: readonly string[]) => void} keep
 * @property {(url: URL) => string} header The Cookie header for a request.
 */

/**
 * A cookie jar per origin. `Secure` and `__Host-` cookies are kept on plain http as well, because
 * all of this happens on loopback, where browsers do the same.
 *
 * @returns {Jar}
 */
export function openJar() {
  const origins = /** @type {Map<string, Map<string, Cookie>>} */ (new Map())
  return {
    keep({ origin }, setCookies) {
      const cookies = origins.get(origin) ?? new Map()
      origins.set(origin, cookies)
      for (const line of setCookies) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
        const name = pair.slice(0, pair.indexOf('='))
        const value = pair.slice(pair.indexOf('=') + 1)
        const path = attributeOf(attributes, 'path') ?? '/'
        if (isExpired(attributes)) cookies.delete(`${name} ${path}`)
        else cookies.set(`${name} ${path}`, { value, path })
      }
    },
    header({ origin, pathname }) {
      return [...(origins.get(origin) ?? [])]
        .filter(([, { path }]) => covers(path, pathname))
        .map(([key, { value }]) => `${key.slice(0, key.indexOf(' '))}=${value}`)
        .join('; ')
    },
  }
}

/**
 * @param {readonly string[]} attributes
 * @param {string} name
 */
const attributeOf = (attributes, name) =>
  attributes.find((part) => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)

/** @param {readonly string[]} attributes */
function isExpired(attributes) {
  const maxAge = attributeOf(attributes, 'max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  const expires = attributeOf(attributes, 'expires')
  return expires !== undefined && Date.parse(expires) <= Date.now()
}

/**
 * RFC 6265 §5.1.4.
 *
 * @param {string} path
 * @param {string} pathname
 */
const covers = (path, pathname) =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
