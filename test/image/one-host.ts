import { execFile } from 'node:child_process'
import {
  buildFrom,
  type Container,
  docker,
  type Ended,
  labelOfRun,
  type Owner,
  repository,
  startContainer,
} from './docker.ts'

/** Host of the app. */
export const host = 'shop.example.com'

/** A front with deploy/one-host, and images of an app by their versions. */
export interface OneHost {
  front: Container
  /** Runs deploy.sh with the image of a version. */
  deploy(version: string): Promise<Ended>
  /** Containers of the app that run. */
  containers(): Promise<string[]>
}

/** Starts the front in a network of its own, and builds the images. Everything is removed with its owner. */
export async function startOneHost(owner: Owner, versions: readonly string[]): Promise<OneHost> {
  const name = `one-host-${process.pid}`
  // a part of the networks that nobody else uses
  const subnet = `172.30.${process.pid % 250}`
  const range = ['--subnet', `${subnet}.0/24`, '--ip-range', `${subnet}.128/25`]
  await docker(['network', 'create', '--label', labelOfRun, ...range, name])
  owner.after(async () => {
    await docker(['network', 'rm', name])
  })
  const images = new Map<string, string>()
  for (const version of versions) {
    const options = ['--build-arg', `VERSION=${version}`]
    const tag = `monohull-one-host:${version}-${process.pid}`
    images.set(version, await buildFrom(owner, `${repository}test/fixtures/image/swarm`, { tag, options }))
  }
  const config = ['--volume', `${repository}deploy/one-host/front.yaml:/app/monohull.yaml:ro`]
  const front = await startContainer(owner, { args: ['--network', name, ...config] })
  const list = ['ps', '--all', '--quiet', '--filter', `name=^${name}-[ab]$`]
  owner.after(async () => {
    const left = (await docker(list)).split('\n').filter(Boolean)
    if (left.length > 0) await docker(['rm', '--force', '--volumes', ...left])
  })
  const settings = {
    HOST: host,
    NAME: name,
    FRONT: front.id,
    NETWORK: name,
    ADDRESSES: `${subnet}.10 ${subnet}.11`,
    DRAIN: '20s',
  }
  const app = ['--label', labelOfRun, '--env', 'MONOHULL_HTTPS=off', '--env', 'MONOHULL_WORKERS=1']
  return {
    front,
    deploy: version =>
      new Promise(resolve => {
        const args = [images.get(version) ?? '', ...app]
        const options = { env: { ...process.env, ...settings, TIMEOUT: version === 'broken' ? '4s' : '60s' } }
        execFile(`${repository}deploy/one-host/deploy.sh`, args, options, (error, stdout, stderr) =>
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
        )
      }),
    containers: async () => (await docker(['ps', '--format', '{{.Names}}', '--filter', `name=^${name}-`])).split('\n'),
  }
}
