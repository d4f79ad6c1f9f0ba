import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { OperatorError } from '../../base/errors.ts'
import { type NginxFeatures, readFeatures } from '../features.ts'
import type { ConfigTest, NginxFiles } from '../service.ts'
import { readDirectives } from './binary.ts'
import { nginxDirectories, runNginx } from './run-nginx.ts'

/** Generations of the configuration that are kept: the one in use and the one before. */
const kept = 2

export interface NginxFilesOptions {
  /** Folder with the static files. */
  source: string
  /** Folder that the generations go to; `current` in it names the one in use. */
  target: string
}

/** The files in nginx/ that are the same for every configuration, by name relative to it: nginx.conf, snippets/, lua/. */
export function readStaticFiles(source: string): Map<string, string> {
  const namesIn = (directory: string) => readdirSync(join(source, directory)).map(name => join(directory, name))
  const names = ['nginx.conf', ...namesIn('snippets'), ...namesIn('lua/monohull')]
  return new Map(names.map(name => [name, readFileSync(join(source, name), 'utf8')]))
}

/** The nginx configuration on disk: staged next to the one in use, tested, then promoted in one step. */
export function createNginxFiles({ source, target }: NginxFilesOptions): NginxFiles {
  const generations = () =>
    readdirSync(target)
      .flatMap(name => /^generation-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)

  // in memory: an upgrade of the installation must not mix its files with what this version renders
  const staticFiles = readStaticFiles(source)

  return {
    currentDirectory: join(target, 'current'),
    stage(rendered) {
      mkdirSync(target, { recursive: true })
      const folder = join(target, `generation-${(generations().at(-1) ?? 0) + 1}`)
      try {
        for (const [name, text] of new Map([...staticFiles, ...rendered])) {
          mkdirSync(dirname(join(folder, name)), { recursive: true })
          writeFileSync(join(folder, name), text)
        }
        return folder
      } catch (error) {
        rmSync(folder, { recursive: true, force: true })
        throw error
      }
    },
    async test(folder, descriptors, signal): Promise<ConfigTest> {
      const dump = join(folder, 'dump')
      const { code, stderr } = await runNginx(['-T', '-q', '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
        sockets: descriptors,
        stdout: dump,
        signal,
      })
      if (code !== 0) {
        const { withSourceLocation } = await import('./source-location.ts')
        const output = lines(stderr || 'nginx -t failed').map(line => withSourceLocation(line, folder))
        return { ok: false, output: output.map(line => withoutStaging(line, folder)) }
      }
      const heading = '# configuration file '
      const text = readFileSync(dump, 'utf8').replaceAll(`${heading}${folder}/`, heading)
      rmSync(dump)
      return { ok: true, warnings: lines(stderr).map(line => withoutStaging(line, folder)), text }
    },
    promote(folder) {
      const link = join(target, 'next')
      const current = join(target, 'current')
      const former = existsSync(current) ? readlinkSync(current) : undefined
      rmSync(link, { force: true })
      symlinkSync(folder, link)
      renameSync(link, current)
      for (const number of generations().slice(0, -kept)) {
        rmSync(join(target, `generation-${number}`), { recursive: true, force: true })
      }
      return former
    },
    discard: folder => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What nginx printed, without the time and pid that it puts in front, and without its summary. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '' && !/test failed|test is successful|using inherited sockets/.test(line))
    .map(line => line.replace(/^\S+ \S+ (\[\w+\]) \d+#\d+: /, '$1 '))
}

/** Names rendered files as `monohull render` prints them; the user's own keep their path. */
function withoutStaging(line: string, folder: string): string {
  return line.replaceAll(`${folder}/`, '')
}

/** What the installed nginx can do; an OperatorError when there is none. */
export async function readNginxFeatures(): Promise<NginxFeatures> {
  const told = runNginx(['-V'])
  // while it runs
  const hasDirective = readDirectives(nginxDirectories)
  const { code, stderr } = await told
  if (code === 0) return readFeatures(stderr, existsSync, hasDirective)
  throw new OperatorError(`cannot run nginx: ${stderr}`, {
    fix: 'install it: apt-get install nginx libnginx-mod-http-lua',
  })
}
