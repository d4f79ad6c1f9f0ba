import { readdir as readDirectory, lstat as readLinkStat, realpath as resolvePath, watch } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Follower } from '../directory-watch.ts'
import { linkOfContents } from './config-map.ts'
import { findFileSystem, isMountPoint } from './mounts.ts'

// loading node:fs/promises would cost half a megabyte of memory
const lstat = promisify(readLinkStat)
const readdir = promisify(readDirectory)
const realpath = promisify(resolvePath)

/** File systems on which every change is made by this kernel, which reports it (inotify(7)). */
const localFileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'zfs', 'tmpfs', 'ramfs', 'overlay'])
/** Each watched directory takes memory of the kernel, which limits their number. */
const maxDirectories = 64

/**
 * Has the kernel report changes in a directory, in those inside it, and in those inside it that links lead to, such as Kubernetes' `..data`.
 * Undefined if it would not see every change: on a network file system, in a file that is mounted alone or has another name elsewhere, or
 * behind a link that leads out of the directory.
 */
export async function followDirectory(directory: string, onChange: () => void): Promise<Follower | undefined> {
  try {
    if ((await realpath(directory)) !== resolve(directory)) return undefined
    // one whose server is unavailable must not be touched by a call that waits
    if (!localFileSystems.has(findFileSystem(directory) ?? '')) return undefined
    const directories = await findDirectories(resolve(directory))
    return directories && watchAll(directories, onChange)
  } catch {
    return undefined // it does not exist, or the kernel watches no more
  }
}

/**
 * Has the kernel report changes of a file, by whatever way it is replaced: written, renamed, or behind Kubernetes' `..data`. Undefined in the
 * same cases as for a directory.
 */
export async function followFile(path: string, onChange: () => void): Promise<Follower | undefined> {
  try {
    const file = await realpath(path)
    const directory = dirname(path)
    const isInside = file.startsWith(`${await realpath(directory)}/`)
    if (!isInside || (await realpath(directory)) !== resolve(directory)) return undefined
    if (isMountPoint(file) || (await lstat(file)).nlink > 1) return undefined
    if (!localFileSystems.has(findFileSystem(file) ?? '')) return undefined
    const names = new Set([basename(path), basename(file), linkOfContents])
    return watchAll([...new Set([resolve(directory), dirname(file)])], name => {
      if (name === null || names.has(name)) onChange()
    })
  } catch {
    return undefined // it does not exist, or the kernel watches no more
  }
}

/** The directory and all inside it; undefined if they are too many, or something elsewhere belongs to their content. */
async function findDirectories(root: string): Promise<readonly string[] | undefined> {
  const found = [root]
  for (const directory of found) {
    if (found.length > maxDirectories) return undefined
    for (const name of await readdir(directory)) {
      const path = join(directory, name)
      const entry = await lstat(path)
      if (entry.isSymbolicLink() && !(await realpath(path)).startsWith(`${root}/`)) return undefined
      if (entry.isFile() && entry.nlink > 1) return undefined
      if (entry.isDirectory()) found.push(path)
    }
  }
  return found
}

function watchAll(directories: readonly string[], onChange: (name: string | null) => void): Follower {
  const watchers = directories.map(directory => {
    const watcher = watch(directory, { persistent: false }, (_event, name) => onChange(name))
    watcher.on('error', () => onChange(null))
    return watcher
  })
  return {
    close() {
      for (const watcher of watchers) watcher.close()
    },
  }
}
