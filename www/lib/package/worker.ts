// The worker of models that read and learn.

import { expose } from 'comlink';
import { assets } from './assets';
import { desk } from './desk';
import { api } from './engine';

expose(desk(api(assets)));
