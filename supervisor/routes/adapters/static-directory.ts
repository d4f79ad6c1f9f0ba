import type { Stats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { findFileSystem } from '../../base/adapters/mounts.ts'
import type { DirectoryContent, DirectoryFacts } from '../static-directory.ts'

/** Directories with more are not looked through: that would hold up the start, and a site of that size has some or may get them. */
const maxEntries = 2000

/** Finds out what nginx need not look for with each request. `programUids`: as whom programs run that are no operators. */
export async function inspectDirectory(root: string, programUids: readonly number[]): Promise<DirectoryFacts> {
  return { content: await lookThrough(root, programUids), fileSystem: findFileSystem(root) }
}

async function lookThrough(root: string, programUids: readonly number[]): Promise<DirectoryContent> {
  const found = { gzip: false, brotli: false, links: false, writable: false }
  const pending = [root]
  let looked = 0
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      if (isWritable(await stat(folder), programUids)) found.writable = true
      for await (const entry of await opendir(folder, { bufferSize: 256 })) {
        looked++
        if (looked > maxEntries) return everything
        if (isHidden(entry.name)) continue
        if (entry.isDirectory()) pending.push(join(folder, entry.name))
        else if (entry.isSymbolicLink()) found.links = true
        else if (entry.name.endsWith('.gz')) found.gzip = true
        else if (entry.name.endsWith('.br')) found.brotli = true
      }
    } catch {
      // gone in the meantime, or closed to us: nginx may see more
      return everything
    }
  }
  return found
}

const everything: DirectoryContent = { gzip: true, brotli: true, links: true, writable: true }

/** By the group's bits an access list shows too (acl(5)). Root may write anywhere. */
function isWritable({ uid, mode }: Stats, programUids: readonly number[]): boolean {
  return (mode & 0o022) !== 0 || programUids.includes(uid) || programUids.includes(0)
}

/** Nobody's, .well-known aside. */
function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known'
}
