import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Exit } from '../../../supervisor/processes/exit.ts'
import {
  type ProcessEffect,
  type ProcessEvent,
  type ProcessState,
  stepProcess,
} from '../../../supervisor/processes/process-state.ts'

const exit: Exit = { kind: 'code', code: 3 }
const lived = { startedAt: 1, readyAt: 2 }

const booting: ProcessState = { name: 'booting', startedAt: 1 }
const ready: ProcessState = { name: 'ready', ...lived }
const stopping: ProcessState = { name: 'stopping', ...lived, cause: 'requested' }
const killed: ProcessState = { name: 'killed', ...lived, cause: 'requested' }
const remnant: ProcessState = { name: 'remnant', ...lived, cause: undefined, exit }
const gone: ProcessState = { name: 'gone', ...lived, cause: undefined, exit }

const becameReady: ProcessEvent = { type: 'becameReady', at: 9 }
const bootDeadlinePassed: ProcessEvent = { type: 'bootDeadlinePassed' }
const stopRequested: ProcessEvent = { type: 'stopRequested' }
const graceDeadlinePassed: ProcessEvent = { type: 'graceDeadlinePassed' }
const groupEnded: ProcessEvent = { type: 'groupEnded' }
const exited: ProcessEvent = { type: 'exited', exit, groupAlive: false }
const exitedFirst: ProcessEvent = { type: 'exited', exit, groupAlive: true }
const exitedDraining: ProcessEvent = { type: 'exited', exit, groupAlive: true, drains: true }

const disarmBoot: ProcessEffect = { type: 'disarm', timer: 'boot' }
const disarmGrace: ProcessEffect = { type: 'disarm', timer: 'grace' }
const terminate: ProcessEffect = { type: 'signal', to: 'process', signal: 'stop' }
const killGroup: ProcessEffect = { type: 'signal', to: 'group', signal: 'kill' }
const stopGroup: ProcessEffect = { type: 'signal', to: 'group', signal: 'stop' }
const armGrace: ProcessEffect = { type: 'arm', timer: 'grace' }
const watch: ProcessEffect = { type: 'watchGroup' }
const sayGone: ProcessEffect = { type: 'announce', state: 'gone' }

/** Every pair of state and event that does something; all others must do nothing. */
const transitions: [ProcessState, ProcessEvent, ProcessState, ProcessEffect[]][] = [
  [booting, becameReady, { ...ready, readyAt: 9 }, [disarmBoot, { type: 'announce', state: 'ready' }]],
  [
    booting,
    bootDeadlinePassed,
    { ...stopping, readyAt: undefined, cause: 'boot timeout' },
    [disarmBoot, terminate, armGrace],
  ],
  [booting, stopRequested, { ...stopping, readyAt: undefined }, [disarmBoot, terminate, armGrace]],
  [booting, exited, { ...gone, readyAt: undefined }, [disarmBoot, disarmGrace, sayGone]],
  [booting, exitedFirst, { ...remnant, readyAt: undefined }, [disarmBoot, killGroup, watch]],
  [booting, exitedDraining, { ...remnant, readyAt: undefined }, [disarmBoot, killGroup, watch]],

  [ready, stopRequested, stopping, [disarmBoot, terminate, armGrace]],
  [ready, exited, gone, [disarmBoot, disarmGrace, sayGone]],
  [ready, exitedFirst, remnant, [disarmBoot, killGroup, watch]],
  [ready, exitedDraining, remnant, [disarmBoot, stopGroup, armGrace, watch]],

  [stopping, graceDeadlinePassed, killed, [disarmBoot, disarmGrace, killGroup]],
  [stopping, exited, { ...gone, cause: 'requested' }, [disarmBoot, disarmGrace, sayGone]],
  [stopping, exitedFirst, { ...remnant, cause: 'requested' }, [disarmBoot, stopGroup, watch]],
  [stopping, exitedDraining, { ...remnant, cause: 'requested' }, [disarmBoot, stopGroup, watch]],

  [killed, exited, { ...gone, cause: 'requested' }, [disarmBoot, disarmGrace, sayGone]],
  [killed, exitedFirst, { ...remnant, cause: 'requested' }, [disarmBoot, killGroup, watch]],
  [killed, exitedDraining, { ...remnant, cause: 'requested' }, [disarmBoot, killGroup, watch]],

  [remnant, graceDeadlinePassed, remnant, [killGroup]],
  [remnant, groupEnded, gone, [disarmGrace, sayGone]],
]

const states = [booting, ready, stopping, killed, remnant, gone]
const events = [
  ...[becameReady, bootDeadlinePassed, stopRequested, graceDeadlinePassed, groupEnded],
  ...[exited, exitedFirst, exitedDraining],
]
const names = new Map<ProcessEvent, string>([
  [exitedFirst, 'exited, leaving others'],
  [exitedDraining, 'exited, leaving others that drain'],
])
const nameOf = (event: ProcessEvent) => names.get(event) ?? event.type

describe('processes/process-state', () => {
  for (const state of states) {
    for (const event of events) {
      const row = transitions.find(([from, cause]) => from === state && cause === event)
      it(`${state.name}: ${nameOf(event)} ${row ? `→ ${row[2].name}` : 'does nothing'}`, () => {
        const step = stepProcess(state, event)
        if (row) assert.deepEqual(step, { state: row[2], effects: row[3] })
        else assert.deepEqual(step, { state, effects: [] })
      })
    }
  }

  it('keeps the boot timeout as the cause', () => {
    let state = stepProcess(booting, bootDeadlinePassed).state
    for (const event of [stopRequested, graceDeadlinePassed, exited]) state = stepProcess(state, event).state
    assert.deepEqual(state, { name: 'gone', startedAt: 1, readyAt: undefined, cause: 'boot timeout', exit })
  })

  it('announces ready and gone at most once and never signals a process that is gone, in any order of events', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), sequence => {
        let state: ProcessState = booting
        const said: string[] = []
        for (const event of sequence) {
          const step = stepProcess(state, event)
          if (state.name === 'gone') assert.deepEqual(step.effects, [])
          for (const effect of step.effects) if (effect.type === 'announce') said.push(effect.state)
          state = step.state
        }
        assert.ok(['', 'ready', 'gone', 'ready gone'].includes(said.join(' ')), said.join(' '))
        assert.equal(state.name === 'gone', said.includes('gone'))
      }),
    )
  })

  it('always ends after a stop, the deadline and the exit', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), sequence => {
        let state: ProcessState = booting
        for (const event of [...sequence, stopRequested, graceDeadlinePassed, exitedFirst, groupEnded]) {
          state = stepProcess(state, event).state
        }
        assert.equal(state.name, 'gone')
      }),
    )
  })
})
