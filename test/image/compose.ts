import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { fromImageUnderTest, labelOfRun, type Owner, repository } from './docker.ts'

const run = promisify(execFile)

/** The containers of one of examples/, by its compose.yaml. */
export interface Project {
  compose(...args: string[]): Promise<string>
  /** Origin on the host of a port in the front's container. */
  origin(port: number): Promise<string>
}

/** `docker-compose up`, with its ports on free ones of 127.0.0.1; removed with its owner. */
export async function startProject(owner: Owner, example: string): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-compose-'))
  cpSync(`${repository}examples/${example}`, folder, { recursive: true })
  const dockerfile = join(folder, 'Dockerfile')
  writeFileSync(dockerfile, fromImageUnderTest(readFileSync(dockerfile, 'utf8')))
  const file = join(folder, 'compose.yaml')
  const { services, ...rest } = parse(readFileSync(file, 'utf8')) as { services: Record<string, Service> }
  writeFileSync(file, stringify({ ...rest, services: mapValues(services, isolate) }))
  const env = { ...process.env, DOCKER_BUILDKIT: '0', COMPOSE_DOCKER_CLI_BUILD: '0' }
  const name = `monohull-${example}-${process.pid}`
  const compose = async (...args: string[]) => {
    const { stdout } = await run('docker-compose', ['-f', file, '-p', name, ...args], { env, maxBuffer: 64 << 20 })
    return stdout.trim()
  }
  owner.after(async () => {
    await compose('down', '--volumes', '--rmi', 'local', '--timeout', '2')
    rmSync(folder, { recursive: true, force: true })
  })
  await compose('up', '--detach', '--build')
  return { compose, origin: async port => `http://${await compose('port', 'front', String(port))}` }
}

interface Service {
  ports?: string[]
}

/** With ports of its own, and the label by which test/run.sh removes what a killed run leaves. */
function isolate({ ports, ...service }: Service): Service & { labels: string[] } {
  const free = ports?.map(port => port.replace(/^\d+:/, '127.0.0.1::'))
  return { ...service, ...(free ? { ports: free } : {}), labels: [labelOfRun] }
}

function mapValues<T, R>(values: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}
