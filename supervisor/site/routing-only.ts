import type { AppSettings } from '../workers/adapters/app-settings.ts'
import type { Config } from './schema.ts'

/** Parts of the settings that name apps. */
interface Apps {
  config: Config
  apps: AppSettings[]
}

/**
 * The same without the welcome page if routes come from Redis and nothing else is configured: then routing is all that is wanted. Requests that no
 * dynamic route applies to, such as those for an address, get 403.
 */
export function withoutWelcome({ config, apps }: Apps): Apps {
  const { dynamic_routes: dynamic, routes } = config
  const isImplied = routes.length === 1 && routes.every(({ origin }) => origin === undefined)
  const isWelcome = apps.length === 1 && apps.every(({ content }) => content.kind === 'welcome')
  if (!dynamic || dynamic.store === 'file' || !isImplied || !isWelcome) return { config, apps }
  const target = { kind: 'response' as const, status: 403, body: '', content_type: 'text/plain' }
  return { config: { ...config, apps: {}, routes: routes.map(route => ({ ...route, target })) }, apps: [] }
}
