import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

/** Downloads Debian packages and unpacks them into a directory; installing them would start their services. */
export function unpackPackages(root: string, packages: readonly string[]): void {
  execFileSync('apt-get', ['download', ...packages], { cwd: root, stdio: 'ignore', timeout: 300_000 })
  for (const file of readdirSync(root).filter(name => name.endsWith('.deb'))) {
    execFileSync('dpkg', ['--extract', file, root], { cwd: root })
  }
}
