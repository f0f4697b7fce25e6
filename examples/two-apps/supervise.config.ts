import { defineConfig } from 'supervise'

export default defineConfig({
  instance: 'two-apps',
  apps: [
    {
      name: 'web',
      script: 'web.js',
      port: 3000,
      workers: 'max',
      ready: { http: '/readyz' },
      drainTimeout: '20s',
      env: { API: 'http://127.0.0.1:3001' },
    },
    {
      name: 'api',
      script: 'api.js',
      port: 3001,
      workers: 2,
      maxMemory: '300M',
    },
  ],
})
