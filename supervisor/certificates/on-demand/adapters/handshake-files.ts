import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files with certificate and key that nginx's workers read, as NAME.pem. */
export interface HandshakeFiles {
  has(name: string): boolean
  write(name: string, pem: { chain: string; key: string }): void
  remove(name: string): void
  /** Removes the files of all other names. */
  keepOnly(names: ReadonlySet<string>): void
}

/** Creates the directory. Only monohull and the group can access it; without a group only monohull, because nginx then runs as the same user. */
export function createHandshakeFiles(directory: string, gid: number | undefined): HandshakeFiles {
  mkdirSync(directory, { recursive: true })
  const share = (path: string, mode: number) => {
    if (gid !== undefined) chownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, mode)
  }
  share(directory, 0o750)
  const pathOf = (name: string) => join(directory, `${name}.pem`)
  return {
    has: name => existsSync(pathOf(name)),
    write(name, { chain, key }) {
      const next = `${pathOf(name)}.next`
      writeFileSync(next, `${chain.trimEnd()}\n${key.trimEnd()}\n`, { mode: 0o600 })
      share(next, 0o640)
      renameSync(next, pathOf(name))
    },
    remove: name => rmSync(pathOf(name), { force: true }),
    keepOnly(names) {
      for (const file of readdirSync(directory))
        if (!names.has(file.replace(/\.pem$/, ''))) rmSync(join(directory, file), { force: true })
    },
  }
}
