/** The providers of the notifier, in addition to those of libs/service. */
export const NOTIFIER_CONFIG = Symbol('NOTIFIER_CONFIG');
export const SENDERS = Symbol('SENDERS');
export const INVITATION_MAILER = Symbol('INVITATION_MAILER');
export const SECRET_BOX = Symbol('SECRET_BOX');
export const CREATE_CHANNEL = Symbol('CREATE_CHANNEL');
export const UPDATE_CHANNEL = Symbol('UPDATE_CHANNEL');
export const DELETE_CHANNEL = Symbol('DELETE_CHANNEL');
export const ROTATE_CHANNEL_SECRET = Symbol('ROTATE_CHANNEL_SECRET');
export const TEST_CHANNEL = Symbol('TEST_CHANNEL');
export const DISABLE_CHANNEL = Symbol('DISABLE_CHANNEL');
export const REDELIVER = Symbol('REDELIVER');
export const SEND_DELIVERIES = Symbol('SEND_DELIVERIES');
export const OUTGOING_READER = Symbol('OUTGOING_READER');
export const DELIVERY_READER = Symbol('DELIVERY_READER');
export const DELIVERY_QUEUE = Symbol('DELIVERY_QUEUE');
