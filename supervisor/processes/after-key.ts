import * as z from 'zod'
import { docs, programName } from '../config/values.ts'

const error = 'expected a list of names of processes and apps, such as [redis]'

/** The key `after`: names of programs that must be ready first. */
export const after = (description: string) =>
  z.array(programName, { error }).default([]).register(docs, { description })
