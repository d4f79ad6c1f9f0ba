import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../../supervisor/site/config.ts'
import {
  expectValid,
  findUnknownFields,
  type Manifest,
  readResources,
  rendered,
  validate,
  withoutKubectl,
} from './manifests.ts'
import { noSources, yaml } from './site/load-config.ts'

const one = (manifests: readonly Manifest[], kind: string): Manifest =>
  manifests.find(manifest => manifest.kind === kind) ?? assert.fail(`no ${kind}`)

describe('deploy/kubernetes', () => {
  it('has manifests that their schemas accept, and no field that they do not know', async () => {
    const manifests = readResources()
    assert.ok(manifests.length >= 9)
    await expectValid(manifests)
    const { spec, ...others } = one(manifests, 'Deployment')
    const isRefused = (change: object) => findUnknownFields([{ ...others, spec: { ...spec, ...change } }])
    assert.match(isRefused({ bogus: 1 }), /bogus.* does not exist/)
    const rules = parse(readFileSync(join(import.meta.dirname, '../../deploy/prometheus/rules.yml'), 'utf8'))
    assert.deepEqual(one(manifests, 'PrometheusRule').spec.groups, rules.groups, 'a copy of the rules for Prometheus')
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

  it('names ports that the container has, in services, routes, policies and the monitor', () => {
    for (const [overlay, manifests] of all) {
      const [container] = one(manifests, 'Deployment').spec.template.spec.containers
      const known = new Set(container.ports.map(({ name }: { name: string }) => name))
      const targets = one(manifests, 'Service').spec.ports.map((port: { targetPort: string }) => port.targetPort)
      const policy = one(manifests, 'NetworkPolicy').spec.ingress.flatMap((rule: { ports: { port: string }[] }) =>
        rule.ports.map(({ port }) => port),
      )
      const monitored = manifests
        .filter(({ kind }) => kind === 'PodMonitor')
        .flatMap(({ spec }) => spec.podMetricsEndpoints.map(({ port }: { port: string }) => port))
      assert.deepEqual(
        [...targets, ...policy, ...monitored].filter(port => !known.has(port)),
        [],
        overlay,
      )
      assert.equal(monitored.length, overlay.includes('components') ? 1 : 0)
      assert.deepEqual(
        [...known].filter(port => !policy.includes(port)),
        [],
        `${overlay}: nobody may reach`,
      )
    }
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
      const pod = one(manifests, 'Deployment').spec.template.spec
      const [container] = pod.containers
      const variables: { name: string; value: string }[] = container.env
      const env = Object.fromEntries(variables.map(({ name, value }) => [name, value]))
      const readFile = (path: string) => {
        const mounts: { mountPath: string }[] = container.volumeMounts
        assert.ok(
          mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`)),
          `${path} is not mounted`,
        )
        return 's'.repeat(32)
      }
      const result = loadConfig({ ...noSources, ...yaml(text), env, readFile })
      assert.ok(result.ok, JSON.stringify(result))
      const { config } = result
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
      assert.ok(config.https === 'off' || config.tls.acme || mounts.includes(config.cert_dir))
    })
})
