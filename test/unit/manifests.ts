import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parse, parseAllDocuments, stringify } from 'yaml'

const home = join(import.meta.dirname, '../..')
const root = join(home, 'deploy/kubernetes')
const overlays = join(root, 'overlays')

/** An object of the Kubernetes API. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  data?: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of Kubernetes check it
  spec: any
}

const kubectl = (() => {
  try {
    const { clientVersion } = JSON.parse(
      execFileSync('kubectl', ['version', '--client', '--output', 'json'], { encoding: 'utf8' }),
    )
    return Number.parseInt(clientVersion.minor, 10)
  } catch {
    return 0
  }
})()
/** The kustomize of older ones does not know components and labels. */
export const withoutKubectl = kubectl < 26 && 'no kubectl 1.26 or later'

function build(directory: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', directory], { encoding: 'utf8' })
  return parseAllDocuments(text).map(document => document.toJS())
}

/** Overlays, and each with all components. */
export function rendered(): Map<string, Manifest[]> {
  const names = readdirSync(overlays)
  return new Map([
    ...names.map((name): [string, Manifest[]] => [name, build(join(overlays, name))]),
    ...names.map((name): [string, Manifest[]] => [`${name} with components`, buildWithComponents(name)]),
  ])
}

function buildWithComponents(overlay: string): Manifest[] {
  const directory = mkdtempSync(join(tmpdir(), 'monohull-kustomize-'))
  // kustomize refuses absolute paths
  const from = (...names: string[]) => relative(realpathSync(directory), join(root, ...names))
  try {
    const components = readdirSync(join(root, 'components')).map(name => from('components', name))
    const kustomization = { resources: [from('overlays', overlay)], components, namespace: 'shop' }
    writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization))
    return build(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const packages: Record<string, string> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'cert-manager.io': '@kubernetes-models/cert-manager',
}

/** Module of kubernetes-models with the class and the type of a manifest. */
function modelOf({ apiVersion, kind }: Manifest): string {
  const group = apiVersion.split('/')[0] ?? ''
  return `${packages[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`
}

/** Messages of TypeScript about fields that the types of the manifests do not have. */
export function findUnknownFields(manifests: readonly Manifest[]): string {
  // inside node_modules, where the types are found
  const directory = join(home, 'node_modules/.cache', `manifests-${process.pid}`)
  mkdirSync(directory, { recursive: true })
  try {
    const lines = manifests.map((manifest, index) => {
      const type = `import('${modelOf(manifest)}').I${manifest.kind}`
      return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)}`
    })
    const file = join(directory, 'manifests.ts')
    writeFileSync(file, lines.join('\n'))
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'preserve', '--ignoreConfig']
    execFileSync(join(home, 'node_modules/.bin/tsc'), [...options, file], {
      cwd: directory,
      encoding: 'utf8',
      stdio: 'pipe',
    })
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export async function validate(manifest: Manifest): Promise<void> {
  const module = await import(modelOf(manifest))
  new module[manifest.kind](manifest).validate()
}

/** Manifests in the files that kustomizations list as resources. */
export function readResources(): Manifest[] {
  const directories = globSync('**/kustomization.yaml', { cwd: root }).map(path => join(root, dirname(path)))
  return directories.flatMap(directory => {
    const { resources = [] } = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8'))
    const files = (resources as string[]).filter(name => name.endsWith('.yaml'))
    return files.map(name => parse(readFileSync(join(directory, name), 'utf8')) as Manifest)
  })
}

export async function expectValid(manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await validate(manifest)
  assert.equal(findUnknownFields(manifests), '')
}
