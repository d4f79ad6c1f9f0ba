import { setTimeout as pause } from 'node:timers/promises'
import type { Measure } from '../bench.ts'
import { describeMedian } from '../median.ts'
import { readFigures } from '../process-figures.ts'
import { type CommandResult, origins, type Running, type Stack, untilServing } from '../stacks/stack.ts'
import { markdownTable } from '../table.ts'

const apps = 8
const workers = 200
const routes = 10_000
const pollMs = 50

/** What many apps, workers and routes cost. */
export const growth: Measure = {
  name: 'growth',
  title: `Growth: ${apps} apps, ${workers} workers, ${routes.toLocaleString('en')} routes`,
  async run(bench) {
    const stacks = bench.builds
    const names = [
      `reload of ${apps} apps, s`,
      `start of ${workers} workers, s`,
      `rolling restart of ${workers} workers, s`,
      `start with ${routes} routes, s`,
      `nginx with ${routes} routes, RSS in MB`,
    ]
    const found = new Map(stacks.map(stack => [stack, names.map((): number[] => [])]))
    for (let round = 1; round <= bench.rounds; round++)
      for (const stack of stacks) {
        bench.say(`growth: ${stack.name}, round ${round} of ${bench.rounds}`)
        const values = [...(await manyApps(stack)), ...(await manyWorkers(stack)), ...(await manyRoutes(stack))]
        for (const [index, value] of values.entries()) found.get(stack)?.[index]?.push(value)
      }
    const rows = names.map((name, index) => [
      name,
      ...stacks.map(stack => describeMedian(found.get(stack)?.[index] ?? [], 1)),
    ])
    return markdownTable(['', ...stacks.map(({ name }) => name)], rows)
  },
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

async function using<T>(stack: Stack, options: Parameters<Stack['start']>[0], act: (running: Running) => Promise<T>) {
  const running = await stack.start(options)
  try {
    return await act(running)
  } finally {
    await running.stop()
  }
}

function manyApps(stack: Stack): Promise<number[]> {
  const config = [
    'https: off', // with both protocols, nginx has every location twice
    'apps:',
    ...numbers(apps).map(app => `  a${app}: { command: node server.js, workers: 1 }`),
    'routes:',
    ...numbers(apps).map(app => `  - { path: ${app === 1 ? '/' : `/${app}`}, app: a${app} }`),
  ]
  return using(stack, { config: config.join('\n') }, async running => {
    await untilAnnounced(running)
    return [await secondsOf(() => running.control?.rollOut())]
  })
}

function manyWorkers(stack: Stack): Promise<number[]> {
  return using(stack, { workers }, async running => {
    while (running.readyWorkers() < workers && !running.hasEnded()) await pause(pollMs)
    await untilAnnounced(running)
    const started = (performance.now() - running.startedAt) / 1000
    return [started, await secondsOf(() => running.control?.roll())]
  })
}

function manyRoutes(stack: Stack): Promise<number[]> {
  const config = [
    'https: off',
    'app: { command: node server.js, boot_timeout: 10m }',
    'routes:',
    ...numbers(routes).map(number => `  - { path: ${number === 1 ? '/' : `/${number}`}, app: app }`),
  ]
  return using(stack, { config: config.join('\n') }, async running => {
    const ms = await untilServing(running, origins(running).http)
    return [ms / 1000, readFigures(running.nginxPid() ?? 0).rssMb]
  })
}

/** Waits until it accepts commands. */
async function untilAnnounced(running: Running): Promise<void> {
  while (!/ monohull info serving /.test(running.log()) && !running.hasEnded()) await pause(pollMs)
}

async function secondsOf(act: () => Promise<CommandResult> | undefined): Promise<number> {
  const startedAt = performance.now()
  const result = await act()
  if (!result?.isDone) throw new Error(`the command failed: ${result?.detail}`)
  return (performance.now() - startedAt) / 1000
}
