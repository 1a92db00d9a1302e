import { runService } from '../shared/run-service.js';
import { Backend } from './backend.js';

await runService('backend', new Backend(process.env), 7070);
