import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Certificates with their keys that nginx's workers read themselves, as NAME.pem. */
export interface HandshakeFiles {
  write(name: string, pem: { chain: string; key: string }): void
  remove(name: string): void
  /** Removes all others. */
  keepOnly(names: ReadonlySet<string>): void
}

/** Makes the folder. Only monohull and the group may look into it; without a group monohull alone, as which nginx runs then. */
export function createHandshakeFiles(folder: string, gid: number | undefined): HandshakeFiles {
  mkdirSync(folder, { recursive: true })
  const share = (path: string, mode: number) => {
    if (gid !== undefined) chownSync(path, process.getuid?.() ?? 0, gid)
    chmodSync(path, mode)
  }
  share(folder, 0o750)
  const pathOf = (name: string) => join(folder, `${name}.pem`)
  return {
    write(name, { chain, key }) {
      const next = `${pathOf(name)}.next`
      writeFileSync(next, `${chain.trimEnd()}\n${key.trimEnd()}\n`, { mode: 0o600 })
      share(next, 0o640)
      renameSync(next, pathOf(name))
    },
    remove: name => rmSync(pathOf(name), { force: true }),
    keepOnly(names) {
      for (const file of readdirSync(folder))
        if (!names.has(file.replace(/\.pem$/, ''))) rmSync(join(folder, file), { force: true })
    },
  }
}
