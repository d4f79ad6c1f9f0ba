import { offsetIn } from '../../base/adapters/time-zone.ts'
import type { JobSettings } from './plan.ts'
import { createSchedule } from './schedule.ts'
import { timeIn } from './status.ts'

const shownRuns = 3

/** The next runs of each job, in a sentence each. */
export function nextRuns({ jobs, areJobsOff }: JobSettings, now: number): string[] {
  const off = areJobsOff ? ['jobs only run on request here: MONOHULL_JOBS=off'] : []
  const next = jobs.map(plan => {
    const schedule = createSchedule(plan, offsetIn)
    const times: string[] = []
    for (let time = schedule.next(now); times.length < shownRuns; time = schedule.next(time))
      times.push(timeIn(plan.timezone, time))
    return `job ${plan.name} (${plan.schedule}) runs next at ${times.join(', ')}, in ${plan.timezone}`
  })
  return [...off, ...next]
}
