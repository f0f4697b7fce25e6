// Commands of PM2 that are typed here out of habit, and what does their work.

/** Said after "Try:". */
export const PM2_WORDS: Readonly<Record<string, string>> = {
  save: 'Write the apps into a supervise.config.ts; `supervise start -d` beside it starts all of them.',
  dump: 'Write the apps into a supervise.config.ts; `supervise start -d` beside it starts all of them.',
  resurrect: 'Type `supervise start -d` beside the config file, and what it names is started.',
  kill: 'Type `supervise stop --all`: it drains every app and ends the supervisor.',
  monit: 'Type `supervise top`: processes, memory, requests and what they write, live.',
  startup:
    'Write a unit of systemd whose ExecStart is `supervise start` in the foreground, with Restart=always and KillMode=process.',
  unstartup: 'Disable the unit of systemd that runs `supervise start`.',
  jlist: 'Type `supervise status --json`.',
  prettylist: 'Type `supervise status --json`.',
  info: 'Type `supervise describe`.',
  desc: 'Type `supervise describe`.',
  env: 'Type `supervise describe`: it lists the names of the variables.',
  pid: 'Type `supervise status --json`.',
  id: 'Type `supervise status --json`.',
  gracefulReload: 'Type `supervise reload`: it loses no request.',
  sendSignal: 'Type `supervise signal web USR2`.',
  ecosystem: 'Write a supervise.config.ts, and see what it says with `supervise check`.',
}
