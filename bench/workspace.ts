import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createImageLayer, type ImageLayer } from './image-layer.ts'

/** Path of the repository. */
export const home = dirname(import.meta.dirname)

/** Workers of the app, on every side. */
export const workers = 2
/** Size of the static file. */
export const pageBytes = 4096
export const nginxProcesses = availableParallelism()

/** Temporary directory in which all stacks run. */
export interface Workspace {
  dir: string
  /** Copy of the package, which a build does not change during the run. */
  package: string
  /** Node that runs everything, and a PATH that finds it first. */
  node: string
  path: string
  certificate: string
  key: string
  /** Overlay with the static file, shared by all stacks. */
  image: ImageLayer
  /** Creates a directory below `dir`, with the bench app in `app`. */
  makeDirectory(name: string): string
  remove(): void
}

/** Creates the temporary directory with a certificate and a copy of the package. */
export function createWorkspace(): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'monohull-bench-'))
  const page = 'x'.repeat(pageBytes)
  // nginx's workers run as another user
  const makeDirectory = (name: string) => {
    const path = mkdtempSync(join(dir, `${name}-`))
    allow(path)
    cpSync(join(home, 'bench/app'), join(path, 'app'), { recursive: true })
    symlinkSync(join(home, 'node_modules'), join(path, 'app/node_modules'))
    mkdirSync(join(path, 'app/public'))
    writeFileSync(join(path, 'app/public/page.html'), page)
    return path
  }
  allow(dir)
  const image = createImageLayer(dir, { 'page.html': page })
  const copy = join(dir, 'package')
  mkdirSync(copy)
  for (const part of ['dist', 'nginx', 'php', 'package.json'])
    cpSync(join(home, part), join(copy, part), { recursive: true })
  const { execPath: node } = process
  const tls = join(dir, 'tls')
  mkdirSync(tls)
  makeCertificate(tls)
  return {
    dir,
    package: copy,
    node,
    path: `${dirname(node)}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
    certificate: join(tls, 'fullchain.pem'),
    key: join(tls, 'privkey.pem'),
    image,
    makeDirectory,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Ports that are free on 127.0.0.1 now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.flatMap(server => {
    const address = server.address()
    return typeof address === 'object' && address ? [address.port] : []
  })
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** Writes fullchain.pem and privkey.pem for localhost to a directory. */
export function makeCertificate(directory: string): void {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${directory}/privkey.pem`,
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '30', '-out', `${directory}/fullchain.pem`], {
    stdio: 'ignore',
  })
}

function allow(path: string): void {
  chmodSync(path, 0o755)
}
