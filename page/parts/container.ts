import { html } from 'htm/preact'
import type { ContainerSection } from '../../supervisor/dashboard/sections.ts'
import { formatBytes, formatNumber } from '../format.ts'

/** Limits of the container and free space. */
export function Container({ container }: { container: ContainerSection | undefined }) {
  const { cpus, memory, memoryLimit, throttledSeconds, oomKills, disks = [] } = container ?? {}
  if (memory === undefined && disks.length === 0) return null
  return html`<section aria-labelledby="container">
    <div class="head"><h2 id="container">Container</h2></div>
    <dl class="facts card">
      <div><dt>CPUs</dt><dd>${formatNumber(cpus)}</dd></div>
      <div><dt>Throttled</dt><dd class=${(throttledSeconds ?? 0) > 60 ? 'text-bad' : ''}>${throttledSeconds === undefined ? '–' : `${formatNumber(throttledSeconds)} s`}</dd></div>
      <div><dt>Memory</dt><dd>${formatBytes(memory)} ${memoryLimit === undefined ? 'of no limit' : `of ${formatBytes(memoryLimit)}`}</dd></div>
      <div><dt>Killed for lack of memory</dt><dd class=${(oomKills ?? 0) > 0 ? 'text-bad' : ''}>${oomKills ?? '–'}</dd></div>
      ${disks.map(disk => html`<div><dt>${disk.name}</dt><dd title=${disk.path} class=${disk.free < disk.size / 20 ? 'text-bad' : ''}>${formatBytes(disk.free)} free of ${formatBytes(disk.size)}</dd></div>`)}
    </dl>
  </section>`
}
