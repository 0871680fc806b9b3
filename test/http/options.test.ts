import { describe, expect, test } from 'vitest'
import { BridgeError } from '../../src/errors.ts'
import { readNetworkOptions } from '../../src/http/options.ts'
import { proxyFor } from '../../src/http/proxies.ts'
import type { Values } from '../../src/option-values.ts'

/** The host and port of the proxy for a URL, as the connections ask for it. */
function proxyOf(target: string, env: NodeJS.ProcessEnv, values: Values = {}): string | undefined {
  const { protocol, hostname, port } = new URL(target)
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  const { proxies } = readNetworkOptions(values, env)
  return proxyFor({ protocol, hostname: bare, port }, proxies)?.url.host
}

function failure(values: Values, env: NodeJS.ProcessEnv = {}): BridgeError {
  try {
    readNetworkOptions(values, env)
  } catch (error) {
    if (error instanceof BridgeError) return error
  }
  throw new Error('expected a BridgeError')
}

const SERVER = 'https://mcp.example/mcp'

describe('the proxy', () => {
  test.each<[string, string, NodeJS.ProcessEnv, string | undefined]>([
    ['none by default', SERVER, {}, undefined],
    ['HTTPS_PROXY for https', SERVER, { HTTPS_PROXY: 'http://p:1' }, 'p:1'],
    ['lower case', SERVER, { https_proxy: 'http://p:1' }, 'p:1'],
    ['lower case wins', SERVER, { https_proxy: 'http://l:1', HTTPS_PROXY: 'http://u:1' }, 'l:1'],
    ['empty is unset', SERVER, { https_proxy: '', HTTPS_PROXY: 'http://u:1' }, 'u:1'],
    ['HTTP_PROXY is not for https', SERVER, { HTTP_PROXY: 'http://p:1' }, undefined],
    ['HTTP_PROXY for http', 'http://mcp.example/', { HTTP_PROXY: 'http://p:1' }, 'p:1'],
    [
      'in CGI, HTTP_PROXY is a header of anybody',
      'http://mcp.example/',
      { HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' },
      undefined,
    ],
    [
      'in CGI, http_proxy is not',
      'http://mcp.example/',
      { http_proxy: 'http://p:1', REQUEST_METHOD: 'GET' },
      'p:1',
    ],
    ['ALL_PROXY for the rest', SERVER, { ALL_PROXY: 'http://a:1' }, 'a:1'],
    ['the scheme wins over it', SERVER, { ALL_PROXY: 'http://a:1', HTTPS_PROXY: 'p:2' }, 'p:2'],
    ['a scheme is not needed', SERVER, { HTTPS_PROXY: 'proxy.corp:3128' }, 'proxy.corp:3128'],
    ['a proxy of its own over TLS', SERVER, { HTTPS_PROXY: 'https://p:8443' }, 'p:8443'],
    ['127.0.0.1 is always direct', 'https://127.0.0.1:8443/', { HTTPS_PROXY: 'p:1' }, undefined],
    ['127.1.2.3 too', 'http://127.1.2.3/', { ALL_PROXY: 'p:1' }, undefined],
    ['localhost too', 'https://localhost/', { HTTPS_PROXY: 'p:1' }, undefined],
    ['names below it too', 'https://a.localhost/', { HTTPS_PROXY: 'p:1' }, undefined],
    ['::1 too', 'https://[::1]:8443/', { HTTPS_PROXY: 'p:1' }, undefined],
    [
      'but not a name that looks like it',
      'https://localhost.example/',
      { HTTPS_PROXY: 'p:1' },
      'p:1',
    ],
  ])('%s', (_, target, env, expected) => {
    expect(proxyOf(target, env)).toBe(expected)
  })

  test.each<[string, string, string, boolean]>([
    ['*', SERVER, 'direct', true],
    ['mcp.example', SERVER, 'the name itself', true],
    ['example', SERVER, 'a parent', true],
    ['.example', SERVER, 'a parent with a dot', true],
    ['*.example', SERVER, 'a parent with an asterisk', true],
    ['.mcp.example', SERVER, 'the name itself with a dot', true],
    ['MCP.Example', SERVER, 'any case', true],
    ['mcp.example.', SERVER, 'a final dot', true],
    ['mcp.example', 'https://mcp.example./', 'a final dot in the URL', true],
    ['cp.example', SERVER, 'an end that is no label', false],
    ['a.mcp.example', SERVER, 'a child', false],
    ['other, mcp.example', SERVER, 'one of a list', true],
    ['other mcp.example', SERVER, 'a list with blanks', true],
    [',,', SERVER, 'nothing', false],
    ['.', SERVER, 'a dot', false],
    ['mcp.example:443', SERVER, 'the default port', true],
    ['mcp.example:8443', SERVER, 'another port', false],
    ['example:8443', 'https://mcp.example:8443/', 'a port that is given', true],
    ['10.1.2.3', 'https://10.1.2.3/', 'an address', true],
    ['10.1.2.3:443', 'https://10.1.2.3/', 'an address and its port', true],
    ['2.3', 'https://10.1.2.3/', 'the end of an address', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', 'a network', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', 'another network', false],
    ['10.0.0.0/8', SERVER, 'a network and a name', false],
    ['0.0.0.0/0', 'https://11.1.2.3/', 'every network', true],
    ['10.0.0.0/33', 'https://10.1.2.3/', 'no network', false],
    ['10.0.0.0/x', 'https://10.1.2.3/', 'no number', false],
    ['fd00::1', 'https://[fd00::1]/', 'an IPv6 address', true],
    ['[fd00::1]', 'https://[fd00::1]/', 'in brackets', true],
    ['[fd00::1]:8443', 'https://[fd00::1]/', 'in brackets with another port', false],
    ['fd00::/8', 'https://[fd12::1]/', 'an IPv6 network', true],
    ['fd00::/8', 'https://10.1.2.3/', 'a network of the other version', false],
  ])('NO_PROXY=%s, %s: %s', (bypass, target, _, direct) => {
    const expected = direct ? undefined : 'p:1'
    expect(proxyOf(target, { HTTPS_PROXY: 'p:1', NO_PROXY: bypass })).toBe(expected)
    expect(proxyOf(target, { HTTPS_PROXY: 'p:1', no_proxy: bypass, NO_PROXY: 'x' })).toBe(expected)
    expect(proxyOf(target, { NO_PROXY: bypass }, { proxy: 'p:1' })).toBe(expected)
  })

  test('--proxy wins over BRIDGE_PROXY, that over the rest', () => {
    const env = { HTTPS_PROXY: 'http://h:1', BRIDGE_PROXY: 'http://b:1' }
    expect(proxyOf(SERVER, env)).toBe('b:1')
    expect(proxyOf(SERVER, env, { proxy: 'http://f:1' })).toBe('f:1')
    expect(proxyOf('http://mcp.example/', env, { proxy: 'http://f:1' })).toBe('f:1')
  })

  test.each<[Values, NodeJS.ProcessEnv]>([
    [{ 'no-proxy': true }, {}],
    [{ proxy: 'none' }, {}],
    [{}, { BRIDGE_PROXY: 'none' }],
    [{ 'no-proxy': true }, { BRIDGE_PROXY: 'http://b:1' }],
  ])('can be switched off: %j %j', (values, env) => {
    expect(proxyOf(SERVER, { HTTPS_PROXY: 'http://h:1', ...env }, values)).toBeUndefined()
  })

  test('takes user name and password from its address, and forgets them there', () => {
    const { proxies } = readNetworkOptions({ proxy: 'http://us%40er:p%3Aw@p:1' }, {})
    const { url, authorization } = proxies.https!
    expect(url.href).toBe('http://p:1/')
    expect(authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`)
    const nameOnly = readNetworkOptions({ proxy: 'http://user@p:1' }, {}).proxies.https!
    expect(nameOnly.authorization).toBe(`Basic ${Buffer.from('user:').toString('base64')}`)
  })

  test.each([
    ['http://user:sentinel@', 'Not the address of a proxy (--proxy).'],
    ['http://user:sentinel%@p:1', 'Not the address of a proxy (--proxy).'],
    ['user:sentinel@p:99999', 'Not the address of a proxy (--proxy).'],
    ['socks5://user:sentinel@p:1', '--proxy is a socks5:// address.'],
    ['ftp://user:sentinel@p:1', '--proxy is a ftp:// address.'],
  ])('%s is unusable, and not repeated', (proxy, message) => {
    const error = failure({ proxy })
    expect(error.message).toBe(message)
    expect(`${error.message} ${error.hint}`).not.toContain('sentinel')
    expect(error.code).toBe('usage')
  })

  test('a SOCKS proxy of the environment does not stop a start that may not need it', () => {
    expect(proxyOf(SERVER, { ALL_PROXY: 'socks5://p:1080' })).toBe('p:1080')
  })

  test('two opinions are one too many', () => {
    expect(failure({ proxy: 'http://p:1', 'no-proxy': true }).message).toMatch(/exclude each other/)
  })
})

describe('the rest', () => {
  test('what nobody asks for', () => {
    expect(readNetworkOptions({}, {})).toEqual({
      proxies: { http: undefined, https: undefined, bypass: '' },
      caFile: undefined,
      systemCa: false,
      clientCertificate: undefined,
      connectTimeoutMs: 10_000,
      family: undefined,
      cookies: true,
      http2: false,
    })
  })

  test('flags, and their variables', () => {
    const flags = {
      ca: 'a.pem',
      'use-system-ca': true,
      cert: 'c.pem',
      key: 'k.pem',
      'passphrase-env': 'PHRASE',
      'connect-timeout': '3s',
      ipv6: true,
      'no-cookies': true,
      http2: 'auto',
    }
    const expected = {
      caFile: 'a.pem',
      systemCa: true,
      clientCertificate: { certFile: 'c.pem', keyFile: 'k.pem', passphrase: 'secret' },
      connectTimeoutMs: 3000,
      family: 6,
      cookies: false,
      http2: true,
    }
    expect(readNetworkOptions(flags, { PHRASE: 'secret' })).toMatchObject(expected)
    const variables = {
      BRIDGE_CA: 'a.pem',
      BRIDGE_USE_SYSTEM_CA: '1',
      BRIDGE_CERT: 'c.pem',
      BRIDGE_KEY: 'k.pem',
      BRIDGE_CONNECT_TIMEOUT: '3s',
      BRIDGE_IPV6: '1',
      BRIDGE_NO_COOKIES: '1',
      BRIDGE_HTTP2: 'auto',
    }
    const clientCertificate = { certFile: 'c.pem', keyFile: 'k.pem', passphrase: undefined }
    expect(readNetworkOptions({}, variables)).toMatchObject({ ...expected, clientCertificate })
  })

  test.each<[Values, string]>([
    [{ key: 'k.pem' }, 'A key belongs to a certificate: the certificate is missing.'],
    [{ 'passphrase-env': 'X' }, 'A key belongs to a certificate: the certificate is missing.'],
    [{ cert: 'c.pem', 'passphrase-env': 'X' }, 'X is not set (--passphrase-env).'],
    [{ ipv4: true, ipv6: true }, '--ipv4 and --ipv6 exclude each other.'],
    [{ http2: 'on' }, 'Unknown http2 on.'],
    [{ 'connect-timeout': 'soon' }, 'Not a duration: soon'],
  ])('%j is refused: %s', (values, message) => {
    const error = failure(values)
    expect(error.message).toBe(message)
    expect(error.code).toBe('usage')
  })
})
