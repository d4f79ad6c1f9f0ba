import { systemClock } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { exitCode, messageOf, OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import type { World } from '../base/world.ts'
import type { LogLine } from '../logs/log-ring.ts'
import { askAdmin, followAdmin } from '../run/adapters/admin-client.ts'
import type { RunEvent } from '../run/events.ts'
import type { Status } from '../run/status.ts'
import { enterTerminal } from './adapters/terminal.ts'
import { socketOf } from './control.ts'
import { toJson } from './json.ts'
import type { CommandLine } from './load.ts'
import { createPaint } from './paint.ts'
import { renderFrame } from './top/frame.ts'
import { rowsOf, type Sample, sortRows } from './top/rows.ts'
import { type Effect, keysIn, press, type View } from './top/view.ts'

const intervalMs = 1000
/** Time for which the result of an action is shown. */
const messageMs = 5000
/** Width of a table that goes into a file or a pipe. */
const plainColumns = 160
const initial: View = { mode: 'table', sort: 'name', selected: undefined }

/** Shows workers and processes until the user quits; without a terminal, once. */
export async function top(commandLine: CommandLine, world: World, { isJson }: { isJson: boolean }): Promise<number> {
  const socket = await socketOf(commandLine, world)
  const first = await readSample(socket)
  if (isJson || !process.stdout.isTTY) return printOnce(socket, first, isJson, world)
  await showLive(socket, first, world)
  return exitCode.ok
}

async function readSample(socket: string): Promise<Sample> {
  const { body } = await askAdmin(socket, { method: 'GET', path: '/status' })
  return { status: body as Status, at: systemClock.monotonic() }
}

/** Prints the rows once, with rates of the last second. */
async function printOnce(socket: string, first: Sample, isJson: boolean, world: World): Promise<number> {
  await pause(systemClock, intervalMs)
  const sample = await readSample(socket)
  const rows = sortRows(rowsOf(sample, first), 'name')
  if (isJson) process.stdout.write(toJson({ state: sample.status.state, rows }))
  else {
    const content = { status: sample.status, rows, view: initial, log: [], message: undefined }
    const size = { columns: plainColumns, rows: rows.length + 5 }
    const lines = renderFrame(content, size, createPaint(process.stdout, world.env)).slice(0, -1)
    process.stdout.write(
      `${lines
        .map(line => line.replace(/^>/, ' '))
        .join('\n')
        .trimEnd()}\n`,
    )
    process.stderr.write('monohull: stdout is no terminal, so this was shown once; for a live view: docker exec -it\n')
  }
  return exitCode.ok
}

async function showLive(socket: string, first: Sample, world: World): Promise<void> {
  const paint = createPaint(process.stdout, world.env)
  const over = new AbortController()
  let wake = new AbortController()
  let [earlier, sample]: [Sample | undefined, Sample] = [undefined, first]
  let view = initial
  let log: LogLine[] = []
  let message: { text: string; until: number } | undefined
  const rows = () => sortRows(rowsOf(sample, earlier), view.sort)
  const terminal = enterTerminal({ onInput, onChange: draw, onEnd: () => over.abort() })

  function draw(): void {
    const text = message && systemClock.monotonic() < message.until ? message.text : undefined
    terminal.draw(
      renderFrame({ status: sample.status, rows: rows(), view, log, message: text }, terminal.size(), paint),
    )
  }

  function onInput(text: string): void {
    for (const key of keysIn(text)) {
      const pressed = press(view, key, rows())
      if (pressed.view.mode === 'log' && view.mode !== 'log') log = []
      if (pressed.view.mode !== view.mode) wake.abort()
      view = pressed.view
      if (pressed.effect) act(pressed.effect)
    }
    draw()
  }

  function act(effect: Effect): void {
    if (effect.type === 'quit') {
      over.abort()
      return
    }
    const { target } = effect
    say(`restarting ${target} …`, Number.POSITIVE_INFINITY)
    askAdmin(socket, { method: 'POST', path: `/restart/${encodeURIComponent(target)}` }).then(
      ({ body }) => {
        const outcome = body as Outcome
        say(outcome.ok ? outcome.message : `${outcome.message}: ${outcome.reason}`)
      },
      error => say(messageOf(error)),
    )
  }

  function say(text: string, forMs = messageMs): void {
    message = { text, until: systemClock.monotonic() + forMs }
    draw()
  }

  async function readLog(): Promise<LogLine[]> {
    const source = encodeURIComponent(view.selected ?? '')
    const path = `/logs?source=${source}&limit=${terminal.size().rows}`
    const { body } = await askAdmin(socket, { method: 'GET', path })
    return (body as { lines?: LogLine[] }).lines ?? []
  }

  let hasStopped = false
  function onStop(): void {
    hasStopped = true
    over.abort()
  }
  // a container that ends kills this process, and its terminal would stay as it is
  followAdmin(socket, '/events?follow=true', event => {
    if ((event as Partial<RunEvent>).message === 'stopping') onStop()
  }).then(onStop, onStop)

  try {
    while (!over.signal.aborted) {
      if (view.mode === 'log') log = await readLog()
      draw()
      wake = new AbortController()
      const woken = AbortSignal.any([wake.signal, over.signal])
      await pause(systemClock, intervalMs, woken).catch(() => {})
      if (over.signal.aborted) break
      if (woken.aborted) continue
      const next = await readSample(socket).catch(error => {
        if (!hasStopped) throw error
      })
      if (!next) break
      ;[earlier, sample] = [sample, next]
    }
  } finally {
    terminal.leave()
  }
  if (hasStopped)
    throw new OperatorError('the instance stops', {
      fix: 'start it again, or watch another',
      code: exitCode.unavailable,
    })
}
