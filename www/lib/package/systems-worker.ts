// The worker of systems: started, and fetched, with the first of them.

import { expose } from 'comlink';
import { desk } from './desk';
import { api } from './engine';
import { systems } from './system-model';
import { all } from './systems-assets';

expose(desk(api(all, systems)));
