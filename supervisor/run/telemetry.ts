import { join } from 'node:path'
import { readVersion } from '../base/adapters/version.ts'
import type { Clock } from '../base/clock.ts'
import { pause } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { World } from '../base/world.ts'
import { openFileTail } from '../logs/adapters/file-tail.ts'
import type { LogLine, LogRing } from '../logs/log-ring.ts'
import { createPost } from '../logs/otlp/adapters/post.ts'
import { logRecord, metricRecord, requestBody } from '../logs/otlp/encoding.ts'
import { createExporter, type Exporter } from '../logs/otlp/exporter.ts'
import { type OtlpSettings, otlpFix, otlpSettings, type Signal } from '../logs/otlp/settings.ts'
import { readSpans, spanLogName } from '../logs/otlp/span-line.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Delays in which records are collected, as in OpenTelemetry's SDKs. */
const delaysMs: Record<Signal, number> = { logs: 1000, traces: 5000, metrics: 0 }
const variables: Record<Signal, string> = {
  logs: 'OTEL_BLRP_SCHEDULE_DELAY',
  traces: 'OTEL_BSP_SCHEDULE_DELAY',
  metrics: '',
}
/** Time for the last records in a stop. */
const flushMs = 200

/** Dependencies of telemetry. */
export interface TelemetryDeps {
  clock: Clock
  log: Log
  world: World
  run: Run
  logs: Pick<LogRing, 'follow'>
}

/** Export of logs, metrics and spans by OTLP, if the standard variables of OpenTelemetry name an endpoint. Undefined without one. */
export function openTelemetry({ clock, log, world, run, logs }: TelemetryDeps): Subject | undefined {
  const { settings, refusal } = otlpSettings(world.env)
  if (refusal !== undefined)
    log.warn('telemetry is not exported by OTLP', {
      reason: refusal,
      fix: otlpFix,
    })
  if (!settings) return undefined
  const { post, close } = createPost(settings)
  const version = readVersion(world.home)
  const exporters = new Map<Signal, Exporter>()
  for (const [signal, url] of Object.entries(settings.urls) as [Signal, string][]) {
    const delayMs = Number(world.env[variables[signal]]) || delaysMs[signal]
    const send = (records: Parameters<typeof requestBody>[1]) =>
      post(url, requestBody(signal, records, { resource: settings.resource, version }))
    exporters.set(signal, createExporter({ clock, log, signal, delayMs, send }))
  }
  const service = serviceNames(settings, Object.keys(run.settings().config.apps))
  const ends = [
    followLogs(exporters.get('logs'), logs, service),
    followSpans(exporters.get('traces'), { clock, run, service }),
    repeatMetrics(exporters.get('metrics'), { clock, run, service, intervalMs: settings.metricIntervalMs }),
  ]
  return {
    name: 'telemetry',
    metrics: () => [
      {
        name: 'telemetry_dropped_total',
        type: 'counter',
        help: 'Records for OTLP that were lost: the receiver failed for long, or rejected them',
        samples: [...exporters].map(([signal, exporter]) => ({ labels: { signal }, value: exporter.dropped() })),
      },
    ],
    async close() {
      for (const end of ends) end()
      await Promise.race([
        Promise.all([...exporters.values()].map(exporter => exporter.flush())),
        pause(clock, flushMs),
      ])
      for (const exporter of exporters.values()) exporter.close()
      close()
    },
  }
}

/** `service.name` by source: that of the operator for the only app, names of apps and processes otherwise, `…-front` for nginx and monohull. */
function serviceNames({ resource }: OtlpSettings, apps: readonly string[]): (source: string) => string {
  const given = resource['service.name']
  return source => {
    const name = source.replace(/\.\d+$/, '')
    if (name === 'nginx' || name === 'monohull') return given === undefined ? 'monohull' : `${given}-front`
    return given !== undefined && apps.length <= 1 ? given : name
  }
}

const nothing = () => {}

function followLogs(
  exporter: Exporter | undefined,
  logs: TelemetryDeps['logs'],
  service: (source: string) => string,
): () => void {
  if (!exporter) return nothing
  return logs.follow({}, (line: LogLine) =>
    exporter.add({ service: service(line.source), record: JSON.stringify(logRecord(line)) }),
  )
}

function followSpans(
  exporter: Exporter | undefined,
  { clock, run, service }: { clock: Clock; run: Run; service: (source: string) => string },
): () => void {
  if (!exporter) return nothing
  const output = { write: nothing, full: () => undefined, end: async () => true }
  const tail = openFileTail({
    clock,
    path: join(run.settings().config.run_dir, 'nginx', spanLogName),
    output,
    render(lines) {
      const front = service('nginx')
      for (const record of readSpans(lines)) exporter.add({ service: front, record })
      return ''
    },
  })
  return tail.close
}

function repeatMetrics(
  exporter: Exporter | undefined,
  {
    clock,
    run,
    service,
    intervalMs,
  }: { clock: Clock; run: Run; service: (source: string) => string; intervalMs: number },
): () => void {
  if (!exporter) return nothing
  const startedMs = clock.now()
  let cancel = nothing
  const schedule = () => {
    cancel = clock.after(intervalMs, () => {
      void run
        .metrics()
        .then(metrics => {
          for (const metric of metrics)
            if (metric.samples.length > 0)
              exporter.add({
                service: service('monohull'),
                record: JSON.stringify(metricRecord(metric, { startedMs, nowMs: clock.now() })),
              })
        }, nothing)
        .then(schedule)
    })
  }
  schedule()
  return () => cancel()
}
