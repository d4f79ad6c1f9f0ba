import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FolderFacts, Precompressed } from '../domain/static-folder.ts'
import { liesInOwnLayer } from './mounts.ts'

/** Folders with more are not looked through: that would hold up the start, and a site of that size has some or may get them. */
const maxEntries = 2000

/** Finds out what nginx need not look for with each request. */
export async function lookAtFolder(root: string): Promise<FolderFacts> {
  return { precompressed: await findPrecompressed(root), isInOwnLayer: liesInOwnLayer(root) }
}

async function findPrecompressed(root: string): Promise<Precompressed> {
  const found = { gzip: false, brotli: false, links: false }
  const pending = [root]
  let looked = 0
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      for await (const entry of await opendir(folder, { bufferSize: 256 })) {
        looked++
        if (looked > maxEntries) return everything
        if (isHidden(entry.name)) continue
        if (entry.isDirectory()) pending.push(join(folder, entry.name))
        else if (entry.isSymbolicLink()) found.links = true
        else if (entry.name.endsWith('.gz')) found.gzip = true
        else if (entry.name.endsWith('.br')) found.brotli = true
        if (found.gzip && found.brotli) return everything
      }
    } catch {
      // gone in the meantime, or closed to us: nginx may see more
      return everything
    }
  }
  return found
}

const everything: Precompressed = { gzip: true, brotli: true, links: true }

/** Nobody's, .well-known aside. */
function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.well-known'
}
