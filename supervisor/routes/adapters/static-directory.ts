import type { Stats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { findFileSystem } from '../../base/adapters/mounts.ts'
import type { DirectoryContent, DirectoryFacts } from '../static-directory.ts'

/** Entries that are scanned at most. A longer scan would delay startup; a site of that size is assumed to contain everything. */
const maxEntries = 2000

/** Facts that spare nginx checks with each request. `programUids`: users of the programs that run here and are not operators. */
export async function inspectDirectory(root: string, programUids: readonly number[]): Promise<DirectoryFacts> {
  return { content: await scan(root, programUids), fileSystem: findFileSystem(root) }
}

async function scan(root: string, programUids: readonly number[]): Promise<DirectoryContent> {
  const found = { gzip: false, brotli: false, links: false, writable: false }
  const pending = [root]
  let scanned = 0
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      if (isWritable(await stat(directory), programUids)) found.writable = true
      for await (const entry of await opendir(directory, { bufferSize: 256 })) {
        scanned++
        if (scanned > maxEntries) return everything
        if (isHidden(entry.name)) continue
        if (entry.isDirectory()) pending.push(join(directory, entry.name))
        else if (entry.isSymbolicLink()) found.links = true
        else if (entry.name.endsWith('.gz')) found.gzip = true
        else if (entry.name.endsWith('.br')) found.brotli = true
      }
    } catch {
      // removed meanwhile, or not readable by us: nginx may see more
      return everything
    }
  }
  return found
}

const everything: DirectoryContent = { gzip: true, brotli: true, links: true, writable: true }

/** Whether a program or others may write to it. The group bits also show an access list (acl(5)). Root may write anywhere. */
function isWritable({ uid, mode }: Stats, programUids: readonly number[]): boolean {
  return (mode & 0o022) !== 0 || programUids.includes(uid) || programUids.includes(0)
}

/** Whether nginx rejects the name: it begins with a dot and is not .well-known. */
function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known'
}
