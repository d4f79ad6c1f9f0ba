import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createPrivately } from '../../base/adapters/private-file.ts'
import { readTextFile } from '../../base/adapters/text-file.ts'

/**
 * Id of this instance, eight hexadecimal digits: the same after a restart with the same state_dir and host name, and another one for each of several
 * instances on a host, or with one state_dir. The part that is random is in the file `instance-id`; if state_dir is read-only, its path stands for it.
 */
export function findInstanceId({ stateDir, host }: { stateDir: string; host: string }): string {
  const own = readOrCreate(join(stateDir, 'instance-id')) ?? stateDir
  return createHash('sha256').update(`${own} ${host}`).digest('hex').slice(0, 8)
}

function readOrCreate(path: string): string | undefined {
  const created = `${randomBytes(16).toString('hex')}\n`
  try {
    return createPrivately(path, created) ? created : readTextFile(path)
  } catch {
    return undefined // the id is then of the path
  }
}
