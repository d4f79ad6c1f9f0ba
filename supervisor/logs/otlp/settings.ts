/** Signals of OTLP, as in the paths of its requests. */
export type Signal = 'logs' | 'metrics' | 'traces'

/** How to export telemetry. */
export interface OtlpSettings {
  /** URL by signal; a signal without one is not exported. */
  urls: Partial<Record<Signal, string>>
  headers: Record<string, string>
  timeoutMs: number
  isCompressed: boolean
  /** File with certificates of CAs. */
  certificate: string | undefined
  /** Attributes of the resource, with `service.name` of the apps. */
  resource: Record<string, string>
  metricIntervalMs: number
}

/** Environment of monohull. */
type Env = Readonly<Record<string, string | undefined>>

const signals: readonly Signal[] = ['logs', 'metrics', 'traces']

/** Fix where an endpoint is left to the app. */
export const otlpFix =
  'set OTEL_EXPORTER_OTLP_PROTOCOL to http/json or http/protobuf and the endpoint to http://HOST:4318, or logs.otlp to false'

/** Whether a variable names a receiver. */
export function namesOtlpEndpoint(env: Env): boolean {
  return Object.keys(env).some(name => /^OTEL_EXPORTER_OTLP_(\w+_)?ENDPOINT$/.test(name))
}

/**
 * Settings by the standard variables of OpenTelemetry; undefined unless an endpoint for HTTP is set. `refusal` says why an endpoint
 * is left to the app, whose SDK may understand it.
 */
export function otlpSettings(env: Env): { settings: OtlpSettings | undefined; refusal?: string } {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return { settings: undefined }
  const urls: OtlpSettings['urls'] = {}
  let refusal: string | undefined
  for (const signal of signals) {
    const upper = signal.toUpperCase()
    const exporter = env[`OTEL_${upper}_EXPORTER`]
    const endpoint = endpointOf(env, signal)
    if (endpoint === undefined || (exporter !== undefined && !exporter.split(',').includes('otlp'))) continue
    const protocol = env[`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`] ?? env.OTEL_EXPORTER_OTLP_PROTOCOL
    if (protocol === 'grpc') refusal = 'OTEL_EXPORTER_OTLP_PROTOCOL is grpc'
    else if (!URL.canParse(endpoint.url) || !/^https?:/.test(endpoint.url))
      refusal ??= `${endpoint.variable} is not an http or https URL`
    else urls[signal] = endpoint.url
  }
  const settings = Object.keys(urls).length === 0 ? undefined : settingsOf(env, urls)
  return { settings, ...(refusal === undefined ? {} : { refusal }) }
}

function settingsOf(env: Env, urls: OtlpSettings['urls']): OtlpSettings {
  const given = pairs(env.OTEL_RESOURCE_ATTRIBUTES)
  return {
    urls,
    headers: pairs(env.OTEL_EXPORTER_OTLP_HEADERS),
    timeoutMs: positive(env.OTEL_EXPORTER_OTLP_TIMEOUT, 10_000),
    isCompressed: env.OTEL_EXPORTER_OTLP_COMPRESSION === 'gzip',
    certificate: env.OTEL_EXPORTER_OTLP_CERTIFICATE,
    resource: env.OTEL_SERVICE_NAME ? { ...given, 'service.name': env.OTEL_SERVICE_NAME } : given,
    metricIntervalMs: positive(env.OTEL_METRIC_EXPORT_INTERVAL, 60_000),
  }
}

function endpointOf(env: Env, signal: Signal): { variable: string; url: string } | undefined {
  const variable = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`
  const own = env[variable]
  if (own) return { variable, url: own }
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!base) return undefined
  return { variable: 'OTEL_EXPORTER_OTLP_ENDPOINT', url: `${base.replace(/\/$/, '')}/v1/${signal}` }
}

function pairs(text = ''): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap(pair => {
      const equals = pair.indexOf('=')
      return equals < 1 ? [] : [[decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))]]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim())
  } catch {
    return text.trim()
  }
}

function positive(text: string | undefined, fallback: number): number {
  const value = Number(text)
  return value > 0 ? value : fallback
}

/** Share of new traces that are sampled, by the variables that the SDK of the app reads too. */
export function sampledShare(env: Env): number {
  const sampler = env.OTEL_TRACES_SAMPLER?.replace(/^parentbased_/, '')
  if (sampler === 'always_off') return 0
  if (sampler !== 'traceidratio') return 1
  const share = Number(env.OTEL_TRACES_SAMPLER_ARG ?? 1)
  return share >= 0 && share <= 1 ? share : 1
}
