/**
 * Preloaded by the launcher. The channel to the launcher closes when the launcher ends, even by kill -9:
 * then this process is asked to end in order, so that nothing is left behind.
 */
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
