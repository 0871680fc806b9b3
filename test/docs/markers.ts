/**
 * Why the commands of a block are not run by test/e2e/documents.test.ts: what stands behind `needs:` in
 * the comment above it. A block has one of these, or `run by:` and the file that runs it, or is run.
 */
export const NEEDS: Readonly<Record<string, string>> = {
  'a keychain':
    'it needs a keychain and a package with native code; test/e2e/login-keychain.test.ts',
  'an account': 'it needs an account of Cloudflare',
  'a running Worker': 'it needs the companion Worker in another terminal',
  'an hour': 'it measures, tries real hosts or searches for a long time, beside the tests',
  'a checkout': 'it changes or starts this repository itself',
}
