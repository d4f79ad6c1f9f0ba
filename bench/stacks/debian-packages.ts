import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

/** Downloads Debian's packages and unpacks them into a folder; installing them would start their services. */
export function unpackPackages(root: string, packages: readonly string[]): void {
  execFileSync('apt-get', ['download', ...packages], { cwd: root, stdio: 'ignore', timeout: 300_000 })
  for (const file of readdirSync(root).filter(name => name.endsWith('.deb'))) {
    execFileSync('dpkg', ['--extract', file, root], { cwd: root })
  }
}
