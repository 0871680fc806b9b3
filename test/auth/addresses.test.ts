import { describe, expect, test } from 'vitest'
import { isLocalAddress, literalAddress } from '../../src/auth/addresses.ts'

describe('A-101: addresses that a public server has no business to name', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:a00:1:2:3:4:5:6',
  ])('%s is local', (address) => {
    expect(isLocalAddress(address)).toBe(true)
  })

  test.each([
    '1.1.1.1',
    '172.32.0.1',
    '169.253.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '64:ff9b::8.8.8.8',
    '2002:0808:0808::',
    '2001:db8:1:2:3:4:5:6',
  ])('%s is public', (address) => {
    expect(isLocalAddress(address)).toBe(false)
  })

  test('an address in a URL is seen behind every spelling that the URL parser takes', () => {
    for (const host of ['2130706433', '0x7f.1', '127.1', '0177.0.0.1']) {
      expect(literalAddress(new URL(`https://${host}/`).hostname)).toBe('127.0.0.1')
    }
    expect(literalAddress(new URL('https://[::1]/').hostname)).toBe('::1')
    expect(literalAddress('example.com')).toBeUndefined()
  })
})
