// A new version that is broken: it boots for ever, and neither listens nor says that it is ready.
setInterval(() => {}, 1_000)
