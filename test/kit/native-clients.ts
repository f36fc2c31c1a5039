/**
 * AWS's native MQTT clients keep a process alive for a while after they were closed (their handles wait to be collected): a test
 * file that used them ends with this, after its last suite, and keeps its exit code.
 */
export function leaveNativeClients(): void {
  setTimeout(() => process.exit(), 300);
}
