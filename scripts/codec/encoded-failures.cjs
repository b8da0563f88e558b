// Loaded by its path: by workers and clients, and into the bundle of workflows. CommonJS, since the SDK requires it.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Messages and stack traces as a payload, so that the codec encrypts them; codes stay in clear, as a failure's type. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
