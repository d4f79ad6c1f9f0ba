export interface Greeting {
  app: string
  worker: string | undefined
  protocol: string
}

export function greet(protocol: string): Greeting {
  return { app: 'typescript', worker: process.env.MONOHULL_WORKER, protocol }
}
