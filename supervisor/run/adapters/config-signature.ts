import { readFile as readBytes, readlink as readLink } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { linkOfContents } from '../../base/adapters/config-map.ts'
import { errnoOf } from '../../base/errors.ts'

// loading node:fs/promises would cost half a megabyte of memory
const readFile = promisify(readBytes)
const readlink = promisify(readLink)

/** Text that changes with the text of a configuration file, and with the other files of a Kubernetes ConfigMap that contains it. `known`: text to assume for the file. */
export async function signConfigFile(path: string, known?: string): Promise<string> {
  const version = await readlink(join(dirname(path), linkOfContents)).catch(() => '')
  try {
    return `${version}\n${known ?? new TextDecoder().decode(await readFile(path))}`
  } catch (error) {
    return `${version} ${errnoOf(error)}`
  }
}
