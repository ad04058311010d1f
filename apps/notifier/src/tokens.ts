/** What the module provides beside the tokens of libs/service. */
export const NOTIFIER_CONFIG = Symbol('NOTIFIER_CONFIG');
export const SENDERS = Symbol('SENDERS');
export const SECRET_BOX = Symbol('SECRET_BOX');
export const CHANNELS = Symbol('CHANNELS');
export const REDELIVER = Symbol('REDELIVER');
export const SEND_DELIVERIES = Symbol('SEND_DELIVERIES');
export const OUTGOING_READER = Symbol('OUTGOING_READER');
export const DELIVERY_READER = Symbol('DELIVERY_READER');
export const DELIVERY_QUEUE = Symbol('DELIVERY_QUEUE');
