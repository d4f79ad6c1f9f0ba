import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createImageLayer, type ImageLayer } from './image-layer.ts'

/** The repository. */
export const home = dirname(import.meta.dirname)

/** Workers of the app, on every side. */
export const workers = 2
/** Of the static file. */
export const pageBytes = 4096
export const nginxProcesses = availableParallelism()

/** A temporary folder with all that runs, and the processes that run there. */
export interface Workspace {
  dir: string
  /** A copy of the package, which a build in the meantime does not change. */
  package: string
  /** The one Node that everything runs in, and a PATH that finds it first. */
  node: string
  path: string
  certificate: string
  key: string
  /** With the static file, for all stacks. */
  image: ImageLayer
  /** A new folder below `dir`, with the bench app in `app`. */
  folder(name: string): string
  remove(): void
}

export function createWorkspace(): Workspace {
  const dir = mkdtempSync(join(tmpdir(), 'monohull-bench-'))
  const page = 'x'.repeat(pageBytes)
  // nginx's workers run as another user
  const folder = (name: string) => {
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
  for (const part of ['dist', 'nginx', 'package.json']) cpSync(join(home, part), join(copy, part), { recursive: true })
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
    folder,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Ports of 127.0.0.1 that are free now. */
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

/** fullchain.pem and privkey.pem, for localhost. */
export function makeCertificate(folder: string): void {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${folder}/privkey.pem`,
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-days', '30', '-out', `${folder}/fullchain.pem`], {
    stdio: 'ignore',
  })
}

function allow(path: string): void {
  chmodSync(path, 0o755)
}
