/** Largest number of workers of an app. */
export const maxWorkers = 1024
