import { accessSync, constants, lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KeychainFailure, linkToKeychain } from '../store/keychain-link.ts'
import { listRecords } from '../store/list.ts'
import { check, type Context, fail, type Finding, ok, skipped, warn } from './check.ts'
import { bridge, quoted } from './words.ts'

/** Where sign-ins and the cache are. */
export const folders = check({
  id: 'folders',
  title: 'Folders',
  group: 'This machine',
  codes: ['folder_unusable', 'folder_foreign', 'folder_not_writable', 'folder_open_to_others'],
  run({ paths, machine }) {
    for (const folder of [paths.data, paths.cache]) {
      const wrong = folderProblem(folder, machine.platform)
      if (wrong !== undefined) return wrong
    }
    return ok(`sign-ins in ${paths.data}, cache in ${paths.cache}`)
  },
})

type FolderCode =
  | 'folder_unusable'
  | 'folder_foreign'
  | 'folder_not_writable'
  | 'folder_open_to_others'

function folderProblem(folder: string, platform: NodeJS.Platform): Finding<FolderCode> | undefined {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) {
    // It is made when it is needed, if what is above it lets us.
    const above = dirname(folder)
    return above === folder ? undefined : missingBelow(above)
  }
  if (!found.isDirectory()) {
    return fail(
      'folder_unusable',
      `${folder} is no folder`,
      `mv ${quoted(folder)} ${quoted(`${folder}.old`)}`,
    )
  }
  const us = process.getuid?.()
  if (us !== undefined && found.uid !== us) {
    return fail(
      'folder_foreign',
      `${folder} belongs to somebody else`,
      `sudo chown -R "$(id -un)" ${quoted(folder)}`,
    )
  }
  if (!isWritable(folder)) {
    return fail(
      'folder_not_writable',
      `${folder} cannot be written to`,
      `chmod u+rwx ${quoted(folder)}`,
    )
  }
  if (platform !== 'win32' && (found.mode & 0o022) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
    return warn(
      'folder_open_to_others',
      `others may write to ${folder} (mode ${mode})`,
      `chmod 700 ${quoted(folder)}`,
    )
  }
  return undefined
}

function missingBelow(above: string): Finding<FolderCode> | undefined {
  const found = lstatSync(above, { throwIfNoEntry: false })
  if (found === undefined)
    return dirname(above) === above ? undefined : missingBelow(dirname(above))
  if (isWritable(above)) return undefined
  return fail(
    'folder_not_writable',
    `${above} cannot be written to`,
    `chmod u+rwx ${quoted(above)}`,
  )
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whether what is stored can be read. */
export const records = check({
  id: 'records',
  title: 'Stored sign-ins',
  group: 'This machine',
  codes: ['record_unreadable', 'sign_in_unfinished'],
  async run({ paths }) {
    const folder = credentialsFolder(paths)
    const listing = await listRecords(folder)
    const [broken] = listing.unreadable
    if (broken !== undefined) {
      const file = quoted(join(folder, broken.name))
      const more = listing.unreadable.length - 1
      return fail(
        'record_unreadable',
        `${broken.name} cannot be read: ${broken.why}${more === 0 ? '' : `, and ${more} more`}`,
        `mv ${file} ${file.replace(/"$/, '.damaged"')}`,
      )
    }
    const waiting = listing.records.find(({ record }) => record.pending !== undefined)
    if (waiting !== undefined) {
      const url = new URL(waiting.record.server)
      const fix =
        waiting.holder === 'server'
          ? bridge('login', url)
          : 'bridge login <server_url>, with the --idp-… options of your entry'
      return warn('sign_in_unfinished', `a sign-in to ${url.host} waits for you`, fix)
    }
    const count = listing.records.length
    return ok(count === 0 ? 'none yet' : `${count} can be read`)
  },
})

/** The folder of the records. */
export function credentialsFolder(paths: Context['paths']): string {
  return join(paths.data, 'credentials')
}

/** Whether the keychain answers, where it was chosen. */
export const keychain = check({
  id: 'keychain',
  title: 'Keychain',
  group: 'This machine',
  codes: ['keychain_unreachable'],
  async run({ store }) {
    if (store === 'file') return skipped('sign-ins are kept in private files (--store keychain)')
    try {
      // Only read: an entry that is not there is an answer too.
      await linkToKeychain()({ account: 'doctor' })
      return ok('it answers')
    } catch (error) {
      if (!(error instanceof KeychainFailure)) throw error
      return fail(
        'keychain_unreachable',
        `the keychain cannot be used: ${error.message}`,
        '--store file',
      )
    }
  },
})
