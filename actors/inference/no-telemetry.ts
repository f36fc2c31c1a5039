/**
 * ONNX Runtime's Linux and macOS binaries report to their maker unless the environment says no before they are loaded; they were renamed
 * once, so both names are set. Nothing of this farm leaves the machine. Import it before anything that loads them, in the main thread: a
 * worker's environment is a copy that native code does not see.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
process.env['ORT_TELEMETRY_DISABLED'] = '1';
