import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { makeCertificate } from '../make-certificate.ts'
import { ask } from './ask.ts'
import { buildFrom, docker, image, type Owner, repository, tryDocker, until } from './docker.ts'

/** deploy/swarm, with its front on free ports of this machine. */
export interface Stack {
  /** HTTPS origin of the front. */
  origin: string
  /** Updates the app to the image of a version, and settles with the state of the update when it is over. */
  update(version: string): Promise<string>
  scale(replicas: number): Promise<void>
  /** Settles when the app has this number of healthy containers, without `gone`, and all others have ended. */
  haveRunning(replicas: number, gone?: string): Promise<void>
  /** Healthy containers of the app. */
  containers(): Promise<string[]>
  /** HTTPS origin of a port of the ingress network, which leads to all replicas of another service of version 1 without a front; with a function that updates it to version 2. */
  openIngress(): Promise<{ origin: string; update(): Promise<unknown> }>
}

interface Service {
  ports?: { published: number }[]
  deploy?: { resources?: { reservations?: unknown } }
}

interface StackFile {
  services: Record<'app' | 'front', Service>
}

const name = `monohull-test-${process.pid}`
const service = `${name}_app`
const firstPort = 20_000 + (process.pid % 3000) * 3

/** Deploys the stack with version 1 of the fixture, in a swarm of one node. All of it is removed with its owner. */
export async function deployStack(owner: Owner): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-swarm-'))
  owner.after(async () => rmSync(folder, { recursive: true, force: true }))
  cpSync(`${repository}deploy/swarm`, folder, { recursive: true })
  const file = join(folder, 'stack.yaml')
  writeFileSync(file, stringify(adapt(parse(readFileSync(file, 'utf8')))))
  makeCertificate(join(folder, 'certs'), 'www.example.com', { chain: 'tls.crt', key: 'tls.key' })
  const images = new Map<string, string>()
  for (const version of ['1', '2', 'broken'])
    images.set(
      version,
      await buildFrom(owner, `${repository}test/fixtures/image/swarm`, {
        tag: `monohull-swarm-${version}:${process.pid}`,
        options: ['--build-arg', `VERSION=${version}`],
      }),
    )
  await joinSwarm(owner)
  owner.after(async () => {
    await docker(['stack', 'rm', name])
    await until('the stack is gone', async () => (await docker(['ps', '--all', '--quiet', ...ofStack])) === '')
  })
  await tryDocker(['stack', 'rm', name])
  process.env.APP_IMAGE = images.get('1')
  process.env.FRONT_IMAGE = image
  await docker(['stack', 'deploy', '--resolve-image', 'never', '--compose-file', file, name])
  const origin = `https://127.0.0.1:${firstPort + 1}`
  await haveRunning(3)
  await until('the front reaches the app', async () => (await ask(origin).catch(() => undefined))?.status === 200)
  return {
    origin,
    async update(version) {
      const former = (await updateOf()).start
      await docker([
        'service',
        'update',
        '--detach',
        '--no-resolve-image',
        '--image',
        images.get(version) ?? '',
        service,
      ])
      return until(
        'the end of the update',
        async () => {
          const { start, state } = await updateOf()
          return start !== former && /^(completed|paused|rollback_(completed|paused))$/.exec(state)?.[0]
        },
        200_000,
      )
    },
    async scale(replicas) {
      await docker(['service', 'scale', '--detach', `${service}=${replicas}`])
      await haveRunning(replicas)
    },
    haveRunning,
    async openIngress() {
      const ingress = `${name}-ingress`
      const port = firstPort + 2
      const options = [
        '--replicas',
        '3',
        '--update-order',
        'start-first',
        '--update-delay',
        '5s',
        '--stop-grace-period',
        '30s',
      ]
      const env = ['STOP_DELAY=5s', 'STOP_TIMEOUT=25s'].flatMap(pair => ['--env', `MONOHULL_${pair}`])
      const publish = ['--publish', `published=${port},target=443`]
      const first = images.get('1') ?? ''
      await docker([
        'service',
        'create',
        '--name',
        ingress,
        '--no-resolve-image',
        ...options,
        ...env,
        ...publish,
        first,
      ])
      owner.after(async () => void (await docker(['service', 'rm', ingress])))
      const update = ['service', 'update', '--no-resolve-image', '--image', images.get('2') ?? '', ingress]
      return { origin: `https://127.0.0.1:${port}`, update: () => docker(update) }
    },
    containers: () => containersOf('--filter', 'health=healthy'),
  }
}

const ofStack = ['--filter', `label=com.docker.stack.namespace=${name}`]

/** State of the last update of the app, and when it began. */
async function updateOf(): Promise<{ start: string; state: string }> {
  const status = '{{with .UpdateStatus}}{{.StartedAt}} {{.State}}{{end}}'
  const [start = '', state = ''] = (await docker(['service', 'inspect', '--format', status, service])).split(
    / (?=\w+$)/,
  )
  return { start, state }
}

async function containersOf(...filters: string[]): Promise<string[]> {
  const ofApp = ['--filter', `label=com.docker.swarm.service.name=${service}`]
  const ids = await docker(['ps', '--quiet', '--no-trunc', ...ofApp, ...filters])
  return ids.split('\n').filter(id => id !== '')
}

async function haveRunning(replicas: number, gone?: string): Promise<void> {
  await until(
    `${replicas} replicas`,
    async () => {
      const healthy = await containersOf('--filter', 'health=healthy')
      const all = await containersOf()
      return healthy.length === replicas && all.length === replicas && !(gone && all.includes(gone))
    },
    120_000,
  )
}

/** Makes this engine the manager of a swarm, unless it is one. */
async function joinSwarm(owner: Owner): Promise<void> {
  const { code, stderr } = await tryDocker(['swarm', 'init', '--advertise-addr', '127.0.0.1'])
  if (code === 0) owner.after(async () => void (await docker(['swarm', 'leave', '--force'])))
  else if (!/already part of a swarm/.test(stderr)) throw new Error(stderr)
}

/** The stack with free ports, and for a machine with any number of CPUs. */
function adapt({ services: { app, front }, ...rest }: StackFile): StackFile {
  const ports = front.ports?.map(port => ({ ...port, published: firstPort + (port.published === 80 ? 0 : 1) }))
  const { reservations: _, ...resources } = app.deploy?.resources ?? {}
  return {
    ...rest,
    services: {
      app: { ...app, deploy: { ...app.deploy, resources } },
      front: { ...front, ...(ports ? { ports } : {}) },
    },
  }
}
