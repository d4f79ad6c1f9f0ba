import type { Clock } from '../../base/clock.ts'

/** Questions that run at the same time. */
const maxRunning = 20
/** Waiting questions; each holds a connection of nginx. */
const maxWaiting = 500
/** Waiting questions of one client about one domain. */
const maxAlike = 100
/** Longest wait for a turn: nginx waits ten seconds in all. */
const maxWaitMs = 8000

/** Who asks, and what about: the two things by which turns are shared. */
export interface Asker {
  /** Network address of the client. */
  client: string
  /** Registered domain of the name. */
  domain: string
}

/** Result of a question, or that it had no turn. */
export type Turn<T> = { hadTurn: true; result: T } | { hadTurn: false }

/** Queue of questions, in which no client and no domain delays another. */
export interface QuestionQueue {
  /** Runs `ask` when it is its turn, which may never come. */
  run<T>(asker: Asker, ask: () => Promise<T>): Promise<Turn<T>>
}

interface Waiting extends Asker {
  begin(): void
  leave(): void
}

/**
 * Empty queue. The next turn goes to the client with the fewest running questions, then to the domain with the fewest, then to the oldest
 * question. When the queue is full, the client with the most waiting questions loses its newest one.
 */
export function createQuestionQueue({ clock }: { clock: Clock }): QuestionQueue {
  let waiting: Waiting[] = []
  let running: Asker[] = []

  function startNext(): void {
    if (running.length >= maxRunning) return
    const next = chooseNext(waiting, running)
    if (!next) return
    waiting = waiting.filter(one => one !== next)
    next.begin()
  }

  /** Removes a question that would otherwise displace those of others. */
  function makeRoom(newest: Waiting): void {
    const alike = waiting.filter(({ client, domain }) => client === newest.client && domain === newest.domain)
    if (alike.length > maxAlike) newest.leave()
    else if (waiting.length > maxWaiting) heaviest(waiting)?.leave()
  }

  return {
    run(asker, ask) {
      return new Promise((resolve, reject) => {
        const end = () => {
          running = running.filter(one => one !== question)
          startNext()
        }
        const question: Waiting = {
          ...asker,
          begin() {
            cancel()
            running.push(question)
            ask()
              .then(result => resolve({ hadTurn: true, result }), reject)
              .finally(end)
          },
          leave() {
            cancel()
            waiting = waiting.filter(one => one !== question)
            resolve({ hadTurn: false })
          },
        }
        const cancel = clock.after(maxWaitMs, question.leave)
        waiting.push(question)
        startNext()
        if (waiting.includes(question)) makeRoom(question)
      })
    },
  }
}

function chooseNext<T extends Asker>(waiting: readonly T[], running: readonly Asker[]): T | undefined {
  const [clients, domains] = [countBy(running, 'client'), countBy(running, 'domain')]
  let best: { question: T; client: number; domain: number } | undefined
  for (const question of waiting) {
    const client = clients.get(question.client) ?? 0
    const domain = domains.get(question.domain) ?? 0
    if (!best || client < best.client || (client === best.client && domain < best.domain))
      best = { question, client, domain }
  }
  return best?.question
}

/** Newest question of the client with the most, about its domain with the most. */
function heaviest<T extends Asker>(waiting: readonly T[]): T | undefined {
  const most = (counts: ReadonlyMap<string, number>) => [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
  const client = most(countBy(waiting, 'client'))
  const newestFirst = waiting.filter(one => one.client === client).reverse()
  const domain = most(countBy(newestFirst, 'domain'))
  return newestFirst.find(one => one.domain === domain)
}

function countBy(askers: readonly Asker[], key: keyof Asker): Map<string, number> {
  const counts = new Map<string, number>()
  for (const asker of askers) counts.set(asker[key], (counts.get(asker[key]) ?? 0) + 1)
  return counts
}
