import { resolve } from 'node:path'
import type { Change } from '../base/change.ts'
import type { Runtime } from '../base/runtime.ts'
import type { UpstreamConfig } from './keys.ts'
import type { Upstreams } from './service.ts'
import type { UpstreamServerStatus } from './status.ts'
import type { Upstream } from './upstream.ts'

/** Settings that the upstreams depend on. */
export interface UpstreamsSettings {
  config: UpstreamsKeys & { directory: string }
}

interface UpstreamsKeys {
  upstreams: Readonly<Record<string, UpstreamConfig>>
  routes: readonly {
    target: { kind: string; name?: string | undefined }
    settings?: { forward_auth?: { upstream: string } | undefined }
  }[]
  dynamic_routes?: unknown
}

/** The upstreams' part of nginx's model. */
export interface UpstreamsModel {
  /** Servers of an upstream that get requests now. */
  upstreamServersOf(upstream: string): Upstream['servers']
}

/** The upstreams of a run. */
export interface OpenUpstreams {
  readonly name: string
  prepare(next: UpstreamsSettings): Promise<Change<UpstreamsModel>>
  model(): UpstreamsModel
  status(): { upstreams: UpstreamServerStatus[] }
  warnings(): string[]
  quiesce(): void
}

/** Dependencies of the upstreams of a run. */
export interface UpstreamsDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Called when the servers of an upstream changed. */
  onChange(): void
}

/** Names of the upstreams without a route. */
export function unroutedUpstreams({ upstreams, routes, dynamic_routes }: UpstreamsKeys): string[] {
  // dynamic routes may lead to them
  if (dynamic_routes) return []
  return Object.keys(upstreams).filter(
    name =>
      !routes.some(
        ({ target, settings }) =>
          (target.kind === 'upstream' && target.name === name) || settings?.forward_auth?.upstream === name,
      ),
  )
}

/** Opens the upstreams of a run and waits for their first lookup. Without upstreams, it loads no further modules. */
export async function openUpstreams(deps: UpstreamsDeps, settings: UpstreamsSettings): Promise<OpenUpstreams> {
  warnOfUnrouted(settings)
  let running = await start(settings)
  let isStopping = false

  function warnOfUnrouted({ config }: UpstreamsSettings): void {
    for (const name of unroutedUpstreams(config))
      deps.log.warn('no route leads to an upstream', {
        upstream: name,
        fix: `add {path: /${name}, upstream: ${name}} to routes`,
      })
  }

  async function start({ config }: UpstreamsSettings, former?: Upstreams): Promise<Upstreams | undefined> {
    if (Object.keys(config.upstreams).length === 0) return undefined
    const [{ createUpstreams }, { createResolver }, { upstreamProbe }] = await Promise.all([
      import('./service.ts'),
      import('./adapters/resolver.ts'),
      import('./adapters/probe.ts'),
    ])
    const configs = Object.fromEntries(
      Object.entries(config.upstreams).map(([name, { tls, ...rest }]) => [
        name,
        { ...rest, tls: tls && { ...tls, ca: tls.ca && resolve(config.directory, tls.ca) } },
      ]),
    )
    const upstreams = createUpstreams(
      { ...deps, resolver: createResolver(), probe: upstreamProbe },
      configs,
      former?.snapshot(),
    )
    await upstreams.start()
    return upstreams
  }

  return {
    name: 'upstreams',
    async prepare(next) {
      const prepared = await start(next, running)
      return {
        model: () => ({ upstreamServersOf: upstream => prepared?.serversOf(upstream) ?? [] }),
        revert: () => prepared?.stop(),
        commit() {
          warnOfUnrouted(next)
          running?.stop()
          running = prepared
          if (isStopping) prepared?.stop()
        },
      }
    },
    model: () => ({ upstreamServersOf: upstream => running?.serversOf(upstream) ?? [] }),
    status: () => ({ upstreams: running?.status() ?? [] }),
    warnings: () => running?.warnings() ?? [],
    quiesce() {
      isStopping = true
      running?.stop()
    },
  }
}
