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
import { describe, it } from 'node:test'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { loadConfig } from '../../supervisor/site/config.ts'
import { noSources, yaml } from './site/load-config.ts'

const home = join(import.meta.dirname, '../..')
const root = join(home, 'deploy/kubernetes')
const overlays = join(root, 'overlays')

/** An object of the Kubernetes API. */
interface Manifest {
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
const withoutKubectl = kubectl < 26 && 'no kubectl 1.26 or later'

function build(directory: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', directory], { encoding: 'utf8' })
  return parseAllDocuments(text).map(document => document.toJS())
}

/** Overlays, and each with all components. */
function rendered(): Map<string, Manifest[]> {
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
function findUnknownFields(manifests: readonly Manifest[]): string {
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

async function validate(manifest: Manifest): Promise<void> {
  const module = await import(modelOf(manifest))
  new module[manifest.kind](manifest).validate()
}

const one = (manifests: readonly Manifest[], kind: string): Manifest =>
  manifests.find(manifest => manifest.kind === kind) ?? assert.fail(`no ${kind}`)

/** Manifests in the files that kustomizations list as resources. */
function readResources(): Manifest[] {
  const directories = globSync('**/kustomization.yaml', { cwd: root }).map(path => join(root, dirname(path)))
  return directories.flatMap(directory => {
    const { resources = [] } = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8'))
    const files = (resources as string[]).filter(name => name.endsWith('.yaml'))
    return files.map(name => parse(readFileSync(join(directory, name), 'utf8')) as Manifest)
  })
}

async function expectValid(manifests: readonly Manifest[]): Promise<void> {
  for (const manifest of manifests) await validate(manifest)
  assert.equal(findUnknownFields(manifests), '')
}

describe('deploy/kubernetes', () => {
  it('has manifests that their schemas accept, and no field that they do not know', async () => {
    const manifests = readResources()
    assert.ok(manifests.length >= 9)
    await expectValid(manifests)
    const { spec, ...others } = one(manifests, 'Deployment')
    const isRefused = (change: object) => findUnknownFields([{ ...others, spec: { ...spec, ...change } }])
    assert.match(isRefused({ bogus: 1 }), /bogus.* does not exist/)
    await assert.rejects(validate({ ...others, spec: { ...spec, minReadySeconds: 'five' } }), /must be integer/)
  })
})

describe('deploy/kubernetes, as kubectl applies it', { skip: withoutKubectl }, () => {
  const all = withoutKubectl ? new Map<string, Manifest[]>() : rendered()

  it('has manifests that their schemas accept, with all components too', () => expectValid([...all.values()].flat()))

  for (const [overlay, manifests] of all)
    it(`${overlay}: has one name, namespace and set of labels, and selects its Pods`, () => {
      for (const { kind, metadata } of manifests) {
        assert.equal(metadata.namespace, 'shop', kind)
        for (const label of ['name', 'instance', 'component', 'part-of', 'managed-by'])
          assert.ok(metadata.labels?.[`app.kubernetes.io/${label}`], `${kind}: ${label}`)
      }
      const { labels } = one(manifests, 'Deployment').spec.template.metadata
      const selectors = [
        one(manifests, 'Deployment').spec.selector.matchLabels,
        one(manifests, 'Service').spec.selector,
        one(manifests, 'PodDisruptionBudget').spec.selector.matchLabels,
        one(manifests, 'NetworkPolicy').spec.podSelector.matchLabels,
      ]
      for (const selector of selectors) {
        assert.deepEqual({ ...labels, ...selector }, labels)
        assert.ok(Object.keys(selector).length >= 2)
      }
      const { scaleTargetRef: scaled } = one(manifests, 'HorizontalPodAutoscaler').spec
      assert.deepEqual([scaled.kind, scaled.name], ['Deployment', one(manifests, 'Deployment').metadata.name])
    })

  for (const [overlay, manifests] of all)
    it(`${overlay}: meets the Pod Security Standard restricted`, () => {
      const pod = one(manifests, 'Deployment').spec.template.spec
      assert.equal(pod.automountServiceAccountToken, false)
      assert.equal(pod.securityContext.runAsNonRoot, true)
      assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault')
      assert.deepEqual([pod.hostNetwork, pod.hostPID, pod.hostIPC], [undefined, undefined, undefined])
      for (const { securityContext, resources, ports } of pod.containers) {
        const { allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem } = securityContext
        assert.deepEqual(
          [allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities],
          [false, true, { drop: ['ALL'] }],
        )
        for (const kind of ['requests', 'limits']) assert.ok(resources[kind].cpu && resources[kind].memory)
        assert.ok(
          ports.every(
            (port: { containerPort: number; hostPort?: number }) => port.containerPort > 1024 && !port.hostPort,
          ),
        )
      }
      const kinds = new Set(pod.volumes.flatMap((volume: object) => Object.keys(volume).filter(key => key !== 'name')))
      assert.deepEqual(
        [...kinds].filter(kind => !['configMap', 'emptyDir', 'secret'].includes(String(kind))),
        [],
      )
    })

  for (const [overlay, manifests] of all)
    it(`${overlay}: has a configuration that is accepted, fits its ports, and stops within the grace`, () => {
      const text = one(manifests, 'ConfigMap').data?.['monohull.yaml'] ?? ''
      const result = loadConfig({ ...noSources, ...yaml(text) })
      assert.ok(result.ok, JSON.stringify(result))
      const { config } = result
      const pod = one(manifests, 'Deployment').spec.template.spec
      const [container] = pod.containers
      const ports = Object.fromEntries(
        container.ports.map((port: { name: string; containerPort: number }) => [port.name, port.containerPort]),
      )
      assert.equal(ports.http, config.http_port)
      assert.equal(ports.https, config.https === 'off' ? undefined : config.https_port)
      assert.ok(pod.terminationGracePeriodSeconds * 1000 >= config.stop_timeout + 4000)
      assert.ok(config.watch_config)
      const { readinessProbe, livenessProbe, startupProbe } = container
      const path = (probe: { httpGet: { path: string } }) => probe.httpGet.path
      assert.deepEqual([path(readinessProbe), path(startupProbe)], [config.health.ready_path, config.health.ready_path])
      assert.equal(path(livenessProbe), config.health.live_path)
      const mounts = container.volumeMounts.map((mount: { mountPath: string }) => mount.mountPath)
      const written = [config.run_dir.replace(/\/monohull$/, ''), config.state_dir, '/tmp', '/etc/monohull']
      assert.deepEqual(
        written.filter(mount => !mounts.includes(mount)),
        [],
      )
      assert.ok(config.https === 'off' || mounts.includes(config.cert_dir))
    })
})
