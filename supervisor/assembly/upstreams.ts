import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Upstreams } from '../services/upstreams.ts'
import type { Parts } from './parts.ts'
import type { Settings } from './settings.ts'

/** Upstreams that get no requests. */
export function unroutedUpstreams({ upstreams, routes, dynamic_routes }: Config): string[] {
  // dynamic ones may
  if (dynamic_routes) return []
  return Object.keys(upstreams).filter(
    name => !routes.some(({ target }) => target.kind === 'upstream' && target.name === name),
  )
}

/** The upstreams of the settings, looked up once; undefined when there are none, and then nothing is loaded for them. */
export async function openUpstreams(parts: Parts, { config }: Settings): Promise<Upstreams | undefined> {
  const { surroundings, rotation } = parts
  if (Object.keys(config.upstreams).length === 0 || !surroundings) return undefined
  for (const name of unroutedUpstreams(config))
    parts.log.warn('no route leads to an upstream', {
      upstream: name,
      fix: `add {path: /${name}, upstream: ${name}} to routes`,
    })
  const [{ createUpstreams }, { createResolver }, { upstreamProbe }] = await Promise.all([
    import('../services/upstreams.ts'),
    import('../adapters/resolver.ts'),
    import('../adapters/upstream-probe.ts'),
  ])
  const configs = Object.fromEntries(
    Object.entries(config.upstreams).map(([name, { tls, ...rest }]) => [
      name,
      { ...rest, tls: tls && { ...tls, ca: tls.ca && resolve(config.directory, tls.ca) } },
    ]),
  )
  const upstreams = createUpstreams(
    {
      ...surroundings,
      resolver: createResolver(),
      probe: upstreamProbe,
      onChange: () => void rotation?.changed(),
    },
    configs,
    parts.upstreams?.memory(),
  )
  await upstreams.start()
  // a stop that came meanwhile did not know of them
  if (parts.isDraining) upstreams.stop()
  return upstreams
}
