import { fetch as forward, Response } from 'miniflare'

/**
 * What the Worker fetches from one host is answered with a document; everything else is forwarded.
 * For client id metadata documents, whose hosts do not exist here.
 *
 * @param {string} host
 * @param {object} document
 * @returns {(request: import('miniflare').Request) => Promise<import('miniflare').Response>}
 */
export function publishing(host, document) {
  return async (request) =>
    new URL(request.url).hostname === host ? Response.json(document) : forward(request)
}
