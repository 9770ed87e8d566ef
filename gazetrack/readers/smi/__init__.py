"""SensoMotoric Instruments: IDF Converter and BeGaze."""
